"""Reads the files of a bot, as Rasa does, and says which of them cannot be read."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import parsed
from .finding import Finding, caution, error, ok

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .bot import Bot, Slot

_YAML = frozenset({".yml", ".yaml"})
_DOMAIN = ("domain.yml", "domain.yaml", "domain")
_COPY, _MODULE, _SESSION_START = "ps7", "rasa_ps7", "PS7SessionStart"


@dataclass(frozen=True)
class Sources:
    """Which files and folders make up a bot."""

    domain: tuple[Path, ...] = ()
    data: tuple[Path, ...] = ()
    config: Path | None = None
    endpoints: Path | None = None
    actions: Path | None = None


def in_folder(folder: Path) -> Sources:
    """Find the files of a bot where Rasa expects them."""
    domain = [path for name in _DOMAIN if (path := folder / name).exists()]
    config, endpoints, actions, data = (
        path if path.exists() else None
        for path in (folder / name for name in ("config.yml", "endpoints.yml", "actions", "data"))
    )
    return Sources(tuple(domain), (data,) if data else (), config, endpoints, actions)


def read(sources: Sources) -> tuple[list[Finding], Bot | None]:
    """Read a bot; None where a file cannot be read, or where there is no domain."""
    found: list[Finding] = []
    domain = _parts(sources.domain, parsed.DOMAIN_KEYS, found)
    data = [content for _, content in _parts(sources.data, parsed.DATA_KEYS, found)]
    config, endpoints = _one(sources.config, found), _one(sources.endpoints, found)
    if found:
        return found, None  # what the missing part says is not known
    if not domain:
        how = "give the file or folder that `rasa train --domain` is given"
        return [error("domain-none", "there is no domain to look at", how)], None
    count = "one file" if len(domain) == 1 else f"{len(domain)} files"
    found.append(ok("domain", f"the domain was read, from {count}"))
    found += _both(sources.domain)
    code = _code(sources.actions) if sources.actions else None
    found += [*_endpoint(endpoints), *_plugin(code, sources.actions)]
    merged = replace(
        parsed.domain(content for _, content in domain),
        doubles=_doubles(domain),
        stories=parsed.stories(data),
        flows=parsed.flows(data),
        has_data=bool(sources.data),
        session_start_looks_up=None if code is None else _SESSION_START in code,
        selective=_selective(endpoints),
    )
    return found, merged if config is None else parsed.configured(merged, config)


def _both(paths: Sequence[Path]) -> Iterator[Finding]:
    for folder in paths:
        beside = [path.name for path in paths if path.parent == folder.parent and path.is_file()]
        if folder.is_dir() and beside:
            yield caution(
                "domain-both",
                f"{beside[0]} lies beside the folder {folder.name}: `rasa train` reads the file "
                "alone unless it is told otherwise",
                f"move {beside[0]} into the folder, and train with `--domain {folder.name}`",
            )


def _parts(
    paths: Sequence[Path], keys: frozenset[str], found: list[Finding]
) -> list[tuple[Path, dict[str, Any]]]:
    """Read files, and all below folders, that have one of these keys."""
    parts = []
    for path in paths:
        if not path.exists():
            found.append(error("file-missing", f"{path} does not exist", "correct the path"))
        for file in _files(path):
            content = _read(file, found, keys)
            if keys & content.keys():
                parts.append((file, content))
    return parts


def _one(path: Path | None, found: list[Finding]) -> dict[str, Any] | None:
    if path is None:
        return None
    if not path.is_file():
        found.append(error("file-missing", f"{path} does not exist", "correct the path"))
        return None
    return _read(path, found)


def _files(path: Path) -> Iterator[Path]:
    """Give a file itself, and of a folder the YAML files: its own before those further down."""
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path, followlinks=True):
        yield from sorted(file for name in names if _is_yaml(file := Path(folder, name)))


def _is_yaml(path: Path) -> bool:
    return path.suffix in _YAML and not path.name.startswith(".")


def _read(file: Path, found: list[Finding], keys: frozenset[str] | None = None) -> dict[str, Any]:
    """Read a file; give nothing where none of these keys stands in it.

    What it does not have to understand it does not parse: training data for NLU may be long.
    """
    try:
        text = file.read_text(encoding="utf-8")
        return _parsed(text) if keys is None or any(key in text for key in keys) else {}
    except (OSError, ValueError) as failure:
        mark = getattr(failure.__cause__, "problem_mark", None)
        where = "" if mark is None else f" (line {mark.line + 1})"
        text = f"{file} cannot be read as YAML{where}"
        found.append(error("file-unreadable", text, "correct it; Rasa does not take it either"))
        return {}


def _parsed(text: str) -> dict[str, Any]:
    from ruamel.yaml import YAML  # noqa: PLC0415 - an action server never needs it
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415 - as above

    parser = YAML(typ="safe", pure=True)  # YAML 1.2, as for Rasa: `no` and `on` are text
    try:
        return parsed.table(parser.load(text))
    except YAMLError as failure:
        raise ValueError from failure


def _doubles(parts: Sequence[tuple[Path, Mapping[str, Any]]]) -> dict[str, tuple[str, ...]]:
    """Find slots that files of one folder declare differently: nobody knows which Rasa takes."""
    declared: dict[tuple[Path, str], list[tuple[Path, Slot]]] = {}
    for file, content in parts:
        for name, said in parsed.table(content.get("slots")).items():
            declared.setdefault((file.parent, name), []).append((file, parsed.slot(name, said)))
    return {
        name: tuple(file.name for file, _ in entries)
        for (_, name), entries in declared.items()
        if any(slot != entries[0][1] for _, slot in entries)
    }


def _endpoint(endpoints: Mapping[str, Any] | None) -> Iterator[Finding]:
    if endpoints is not None and not endpoints.get("action_endpoint"):
        yield error(
            "endpoint-missing",
            "endpoints.yml names no action server: Rasa runs no action of ours",
            "add `action_endpoint:` with `url: http://localhost:5055/webhook`, or where it is",
        )


def _selective(endpoints: Mapping[str, Any] | None) -> bool:
    action_server = parsed.table((endpoints or {}).get("action_endpoint"))
    return bool(action_server.get("enable_selective_domain"))


def _code(folder: Path) -> str:
    """Give the bot's own code, and a line for a copy of the plugin in it."""
    own = "\n".join(
        file.read_text(encoding="utf-8", errors="replace")
        for file in sorted(folder.glob("*.py")) + sorted(folder.glob("*/*.py"))
        if file.parent.name != _COPY
    )
    return f"{own}\n{_MODULE}" if (folder / _COPY).is_dir() else own


def _plugin(code: str | None, folder: Path | None) -> Iterator[Finding]:
    if code is not None and _MODULE not in code:
        yield caution(
            "plugin-missing",
            f"{folder} has no copy of the plugin and imports none",
            f"copy actions/ps7 into it, or `import {_MODULE}` in its __init__.py; unless the "
            f"action server is started with `--actions {_MODULE}`",
        )
