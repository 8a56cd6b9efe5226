"""compose.yaml on a Docker engine of its own, which lives in the namespaces of this process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from benchmarks.scale.authority import Authority
from examples.deploy import make_secrets
from tests.container.engine import GROUP
from tests.container.stand_ins import IMAGES
from tests.deploy.runbook import prepared
from tests.support.processes import ROOT, printed, run

if TYPE_CHECKING:
    from pathlib import Path

PS7, PORT = "ps7.example.com", 8444
DISK = "conversations"
"""PostgreSQL's, which can be filled."""
FILES = ("compose.yaml", "compose.ps7-tls.yaml", "override.yaml")


class Stack:
    """What the files start, in a copy of `examples/deploy/`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.deploy = folder / "examples" / "deploy"
        files = os.pathsep.join(str(self.deploy / name) for name in FILES)
        engine = f"unix://{folder}/docker.sock"
        self.environment = os.environ | {"DOCKER_HOST": engine, "COMPOSE_FILE": files}

    def docker(self, *command: str | Path, check: bool = True) -> str:
        """Run docker, or docker-compose with `compose` first."""
        command = (
            ("docker-compose", *command[1:]) if command[0] == "compose" else ("docker", *command)
        )
        done = run(*command, variables=self.environment)
        if check and done.returncode:
            raise SystemExit(f"{command}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done.stdout + (done.stderr if done.returncode else "")

    def inside(self, service: str, *command: str) -> str:
        """Run a command in the first container of a service."""
        return self.docker("compose", "exec", "-T", service, *command, check=False)

    def shell(self, script: str, said: str = "") -> str:
        """Run what a page has one paste into a shell, in the folder of this run."""
        return printed(
            *("sh", "-ec", script), cwd=self.folder, variables=self.environment, said=said
        )

    def prepare(self) -> Authority:
        """Copy the folder, make its secrets and PS7's certificates, and say where PS7 is."""
        secrets = self.deploy / "secrets"
        ignored = shutil.ignore_patterns("secrets", "__pycache__")
        shutil.copytree(ROOT / "examples" / "deploy", self.deploy, ignore=ignored)
        (self.deploy.parent / "monitoring").mkdir()
        shutil.copy(ROOT / "examples/monitoring/rules.yml", self.deploy.parent / "monitoring")
        make_secrets.write(secrets)
        authority = Authority(secrets / "ps7-tls", (PS7,))
        for name in ("server", "client"):
            for file in authority.issue(name):
                file.chmod(0o644)
        hosts = {"extra_hosts": [f"{PS7}:host-gateway"]}
        services = {"actions": hosts, "doctor": hosts}
        disk = {"type": "none", "o": "bind", "device": str(self.folder / DISK)}
        override = {"services": services, "volumes": {"conversations": {"driver_opts": disk}}}
        (self.deploy / "override.yaml").write_text(json.dumps(override))
        self.environment["PS7_BASE_URL"] = f"https://{PS7}:{PORT}"
        return authority

    def start_engine(self) -> subprocess.Popen[bytes]:
        """Start dockerd, and load the images under the names that compose.yaml has."""
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        (self.folder / DISK).mkdir()
        size = "size=512m,uid=999,gid=999,mode=700"
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", self.folder / DISK], check=True
        )
        places = {"data-root": "docker", "exec-root": "exec", "pidfile": "docker.pid"}
        options = [f"--{name}={self.folder}/{place}" for name, place in places.items()]
        log = (self.folder / "dockerd.log").open("wb")
        host = f"--host={self.environment['DOCKER_HOST']}"
        command = ["dockerd", *options, host, f"--cgroup-parent={GROUP}"]
        engine = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(
            ["docker", "info"], env=self.environment, check=False, capture_output=True
        ).returncode:
            if time.monotonic() > deadline:
                raise SystemExit((self.folder / "dockerd.log").read_text()[-3000:])
            time.sleep(0.2)
        for image, built in IMAGES.items():
            archive = self.folder / f"{built.partition(':')[0]}.tar"
            if archive.exists():
                self.docker("load", "--quiet", "--input", archive)
                archive.unlink()
            self.docker("tag", f"localhost/{built}", image)
        return engine

    def up(self, *options: str) -> None:
        """Start what is not there, and wait until it is healthy."""
        start = ("up", "--detach", "--no-build", "--pull=never", "--wait", "--wait-timeout=300")
        self.docker("compose", *start, *options)

    def renew(self, service: str) -> None:
        """Replace one server after the other, as the runbook writes it."""
        self.shell(f"{prepared('compose')}\nrenew {service}")
