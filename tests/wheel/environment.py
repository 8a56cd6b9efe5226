"""An environment in which nothing but a wheel and what it says that it needs is installed.

Made in a second and without a network: what the wheel needs comes from the environment of an
interpreter that has it already, as links, and pip then installs the wheel and finds it all there.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

from packaging.utils import canonicalize_name

_LINK = Path(__file__).with_name("link_dependencies.py")


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


@dataclass(frozen=True)
class Environment:
    """A virtual environment without pip."""

    folder: Path

    @classmethod
    def make(cls, python: Path, folder: Path, requirements: list[str]) -> Environment:
        """Make one for an interpreter, with these requirements from what it has, and no more."""
        run(python, "-m", "venv", "--without-pip", folder, cwd=folder.parent)
        made = cls(folder)
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        site_packages = run(made.python, "-c", where, cwd=folder).strip()
        run(python, _LINK, site_packages, *requirements, cwd=folder)
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def install(self, wheel: Path) -> None:
        """Install a wheel; fails where anything that it needs is not there yet, or is too old."""
        pip = (sys.executable, "-m", "pip", "--python", self.python)
        run(*pip, "install", "--quiet", "--no-index", wheel, cwd=self.folder)

    def installed(self) -> set[str]:
        """Return the names of what is in it, in their one spelling."""
        ask = "from importlib import metadata; print(*(d.name for d in metadata.distributions()))"
        return {canonicalize_name(name) for name in self.output("-c", ask).split()}

    def output(self, *arguments: str | Path) -> str:
        """Run its interpreter, which must succeed; return what it prints."""
        return run(self.python, *arguments, cwd=self.folder)


class Environments(dict[tuple[Path, bool], Environment]):
    """Those of one wheel, each made where it is first needed.

    By interpreter, and whether the wheel is in it, or only what the wheel needs.
    """

    def __init__(self, wheel: Path, folder: Path) -> None:
        super().__init__()
        self._wheel = wheel
        self._folder = folder

    def __missing__(self, key: tuple[Path, bool]) -> Environment:
        python, with_wheel = key
        needed = metadata(self._wheel).get_all("Requires-Dist", [])
        self[key] = Environment.make(python, self._folder / f"venv-{len(self)}", needed)
        if with_wheel:
            self[key].install(self._wheel)
        return self[key]
