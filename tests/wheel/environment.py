"""An environment in which a wheel is installed, beside what its interpreter has already.

Made in a second and without a network: a file of paths names the packages of an interpreter that
has what the wheel needs, and pip installs the wheel only if it finds it all there.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, in an environment that says nothing; return its output."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def make(folder: Path, known: Path, wheel: Path | None) -> Path:
    """Make one that knows an interpreter's packages; return its own interpreter."""
    run(known, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages, own = (run(each, "-c", where, cwd=folder).strip() for each in (known, python))
    Path(own, "known.pth").write_text(f"{packages}\n")
    if wheel:
        pip = (sys.executable, "-m", "pip", "--python", python)
        run(*pip, "install", "--quiet", "--no-index", wheel, cwd=folder)
    return python
