"""An environment in which a wheel is installed, beside what its interpreter has already.

Made in a second and without a network: a file of paths names the packages of an interpreter that
has what the wheel needs, and pip installs the wheel only if it finds it all there.
"""

from __future__ import annotations

import subprocess
import sys
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile


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


def metadata(wheel: Path) -> Message:
    """Read what a wheel says of itself."""
    with ZipFile(wheel) as archive:
        (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
        return HeaderParser().parsestr(archive.read(name).decode())


class Environments(dict[tuple[Path, bool], Path]):
    """The interpreters of one wheel's environments, each made when it is first needed.

    By interpreter, and whether the wheel is in it, or only what the wheel needs.
    """

    def __init__(self, wheel: Path, folder: Path) -> None:
        super().__init__()
        self._wheel = wheel
        self._folder = folder

    def __missing__(self, key: tuple[Path, bool]) -> Path:
        python, with_wheel = key
        folder = self._folder / f"venv-{len(self)}"
        run(python, "-m", "venv", "--without-pip", folder, cwd=self._folder)
        self[key] = folder / "bin" / "python"
        known, own = (self._site_packages(each) for each in (python, self[key]))
        (own / "known.pth").write_text(f"{known}\n")
        if with_wheel:
            pip = (sys.executable, "-m", "pip", "--python", self[key])
            run(*pip, "install", "--quiet", "--no-index", self._wheel, cwd=folder)
        return self[key]

    def _site_packages(self, python: Path) -> Path:
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        return Path(run(python, "-c", where, cwd=self._folder).strip())
