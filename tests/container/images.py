"""A Dockerfile as a parser of Dockerfiles reads it, and the files that Docker would be sent."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from string import Template
from typing import Any

from docker.utils.build import exclude_paths
from dockerfile_parse import DockerfileParser

from tests.support.processes import ROOT

DOCKERFILE = ROOT / "Dockerfile"


@dataclass(frozen=True)
class Step:
    """One instruction: what it says, and the folder that it works in."""

    stage: int
    instruction: str
    value: str
    workdir: PurePosixPath

    @property
    def command(self) -> list[str]:
        """What CMD or HEALTHCHECK runs, in exec form: no shell stands between it and a signal."""
        command = json.loads(self.value[self.value.index("[") :])
        assert isinstance(command, list)
        return command


class Image:
    """What a Dockerfile says, with the build arguments that it is given."""

    def __init__(self, dockerfile: Path, arguments: Mapping[str, str] | None = None) -> None:
        self.dockerfile = dockerfile
        self.steps = list(_steps(dockerfile.read_bytes(), arguments or {}))

    def of(self, instruction: str, stage: int | None = None) -> list[Step]:
        """Return the steps of one instruction: of one stage, -1 being the last, or of all."""
        wanted = self.steps[-1].stage if stage == -1 else stage
        return [
            step
            for step in self.steps
            if step.instruction == instruction and wanted in (None, step.stage)
        ]

    def last(self, instruction: str) -> Step:
        """Return the last step of an instruction: later stages start from earlier ones."""
        return self.of(instruction)[-1]

    @property
    def context(self) -> set[str]:
        """The files that Docker is sent: what `.dockerignore` lets through."""
        return self.sent_from(ROOT)

    def sent_from(self, folder: Path) -> set[str]:
        """Return the files that Docker would be sent from a folder like the project's."""
        own = self.dockerfile.with_name(f"{self.dockerfile.name}.dockerignore")
        lines = (own if own.exists() else ROOT / ".dockerignore").read_text("utf-8").splitlines()
        rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        paths = {name: folder / name for name in exclude_paths(folder, rules)}
        sent = {name for name, path in paths.items() if path.is_file() or path.is_symlink()}
        return sent - {".dockerignore", self.dockerfile.relative_to(ROOT).as_posix()}

    @property
    def copied(self) -> list[tuple[str, PurePosixPath]]:
        """What is copied from the context, and to where: a file into a folder, a folder as one."""
        found = []
        for step in self.of("COPY"):
            *sources, target = step.value.split()
            for source in sources if not sources[0].startswith("--") else ():
                into = target.endswith("/") and not (ROOT / source).is_dir()
                name = PurePosixPath(source).name if into else "."
                found.append((source, step.workdir / target / name))
        return found

    def sent(self, source: str) -> list[str]:
        """Return the files of the context that a source of COPY stands for."""
        return sorted(f for f in self.context if f == source or f.startswith(f"{source}/"))


def _steps(text: bytes, given: Mapping[str, str]) -> Iterator[Step]:
    stage, workdir, arguments = 0, PurePosixPath("/"), dict[str, str]()
    parsed: list[dict[str, Any]] = DockerfileParser(fileobj=BytesIO(text)).structure
    for line in parsed:
        instruction, value = line["instruction"], Template(line["value"]).safe_substitute(arguments)
        if instruction == "COMMENT":
            continue
        if instruction == "FROM":
            stage, workdir = stage + 1, PurePosixPath("/")
        if instruction == "ARG":
            name, _, default = value.partition("=")
            arguments[name] = given.get(name, " ".join(shlex.split(default)))
        if instruction == "WORKDIR":
            workdir /= value
        yield Step(stage, instruction, value, workdir)
