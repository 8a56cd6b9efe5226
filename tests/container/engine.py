"""Images and containers by buildah, podman and runc, in a folder that is removed afterwards.

No registry is needed: what stands in for each base image is made from Debian's packages.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.processes import run

GROUP = "ps7-try-compose"
"""The control group of what Docker runs."""
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_CONF = Path("/etc/pip.conf")
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
OLD_IS_FINE = 'Acquire::Check-Valid-Until "false"'
"""A mirror may be some weeks behind, which a suite that is not stable does not forgive."""
PYTHON = "localhost/python:3.13-slim-trixie"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENGINE = "[engine]\nruntime = 'runc'\ncgroup_manager = 'cgroupfs'\n"
LIMITS = "[containers]\ndefault_ulimits = ['nofile=20000:20000', 'nproc=90000:90000']\n"
"""A machine without systemd, whose limits nobody may raise, takes no others."""


class Engine:
    """Runs podman and buildah on the folder's own images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        storage = f"driver = 'overlay'\ngraphroot = '{folder}/graph'\nrunroot = '{folder}/run'\n"
        (folder / "containers.conf").write_text(LIMITS + ENGINE)
        (folder / "storage.conf").write_text(f"[storage]\n{storage}")
        self.environment = os.environ | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "BUILDAH_RUNTIME": "runc",
            "PODMAN_IGNORE_CGROUPSV1_WARNING": "1",
        }

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; what it printed is in the error if it fails."""
        done = run(*command, variables=self.environment)
        if check and done.returncode:
            last = "\n".join((done.stdout + done.stderr).splitlines()[-30:])
            raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n{last}")
        return done

    def debian(
        self, image: str, packages: str, *more: tuple[str | Path, str], suite: str = "trixie"
    ) -> None:
        """Make an image of some of Debian's packages, and of files and folders of this machine."""
        archive = self.folder / "debian.tar"
        sources = self.folder / "debian.sources"
        sources.write_text(SOURCES.read_text().replace("trixie", suite))
        include = f"--include={packages}"
        make = ("mmdebstrap", "--variant=minbase", "--mode=root", "--aptopt=" + OLD_IS_FINE)
        self.run(*make, include, suite, archive, sources)
        container = self.run("buildah", "from", "scratch").stdout.strip()
        for source, target in ((archive, "/"), *more):
            self.run("buildah", "add", "-q", container, source, target)
        archive.unlink()
        self.run("buildah", "config", "--env", f"PATH={PATH}", container)
        self.run("buildah", "commit", "--rm", "-q", container, image)

    def build(self, image: str, *options: str) -> None:
        """Build one of the project's Dockerfiles, with what lets pip through on this machine."""
        mounted = [
            f"--volume={file}:{file}:ro" for file in (CERTIFICATES, PIP_CONF) if file.exists()
        ]
        build = ("buildah", "build", "--network=host", "--format=docker")
        self.run(*build, *mounted, *options, "-t", image, ".")

    def action_images(self) -> None:
        """Build both targets of the Dockerfile, the example's actions in them."""
        link = self.folder / "link"  # Debian calls it python3 and no more
        link.mkdir()
        (link / "python").symlink_to("python3")
        packages = "python3,python3-venv,python3-pip,ca-certificates"
        self.debian(PYTHON, packages, (link, "/usr/bin/"))
        bot = "--build-arg=ACTIONS=examples/oss-bot/actions"
        self.build("ps7-actions:0.1.0", bot)
        self.build("ps7-doctor:0.1.0", bot, "--target=doctor")


@contextmanager
def opened(*programs: str) -> Iterator[Engine]:
    """Make the folder; end what runs in it and remove it. SystemExit names a missing program."""
    missing = [program for program in programs if not shutil.which(program)]
    if missing or os.geteuid():
        raise SystemExit(f"missing: {', '.join(missing)}" if missing else "only root can run this")
    folder = Path(tempfile.mkdtemp(prefix="ps7-images-"))
    engine = Engine(folder)
    try:
        yield engine
    finally:
        engine.run("podman", "rm", "--all", "--force", "--time", "0", check=False)
        engine.run("podman", "rmi", "--all", "--force", check=False)
        engine.run("umount", "--quiet", folder / "graph" / "overlay", check=False)
        shutil.rmtree(folder)
        for name in ("libpod_parent", GROUP):
            for group in list(Path("/sys/fs/cgroup").rglob(name)):
                for each, _, _ in os.walk(group, topdown=False):
                    with suppress(OSError):  # another one's, in use
                        Path(each).rmdir()


def part(text: str, began: float) -> None:
    """Say what has passed, and when."""
    sys.stdout.write(f"  {time.monotonic() - began:5.0f} s  {text}\n")
    sys.stdout.flush()
