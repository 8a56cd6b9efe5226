"""Puts the manifests together as `kubectl apply -k` does, without kustomize.

It knows what they use and no more, and gives no ConfigMap the hash of its data: `make
release-check` compares the two.
"""

from __future__ import annotations

import re
from base64 import b64encode
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Object = dict[str, Any]
_YAML = YAML(typ="safe", pure=True)


def build(folder: Path) -> list[Object]:
    """Return what a folder with a `kustomization.yaml` makes."""
    made: list[Object] = []
    _add(folder, made)
    return made


def read_all(text: str) -> list[Object]:
    """Read the objects of a file, to be changed."""
    return deepcopy(_read_all(text))


@lru_cache
def _read_all(text: str) -> list[Object]:
    return [*_YAML.load_all(text)]


def _add(folder: Path, made: list[Object]) -> None:
    (said,) = read_all((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    for name in said.get("resources", ()):
        if (folder / name).is_dir():
            _add(folder / name, made)
        else:
            made += read_all((folder / name).read_text(encoding="utf-8"))
    for name in said.get("components") or ():
        _add(folder / name, made)
    for each in said.get("configMapGenerator", ()):
        _generate("ConfigMap", _data(folder, each), each, made)
    for each in said.get("secretGenerator", ()):
        assert said["generatorOptions"]["disableNameSuffixHash"], "no pod remembers an old secret"
        data = {key: b64encode(text.encode()).decode() for key, text in _data(folder, each).items()}
        _generate("Secret", data, each, made)
    for each in said.get("patches", ()):
        _patch(each, made)
    for each in said.get("images", ()):
        _rename(each, made)
    for each in made if "namespace" in said else ():
        key = "name" if each["kind"] == "Namespace" else "namespace"
        each["metadata"][key] = said["namespace"]


def _data(folder: Path, generator: Object) -> dict[str, str]:
    found = dict(each.split("=", 1) for each in generator.get("literals", ()))
    for each in generator.get("files", ()):
        key, _, file = each.rpartition("=")
        found[key or Path(file).name] = (folder / file).read_text(encoding="utf-8")
    return found


def _generate(kind: str, data: dict[str, str], generator: Object, made: list[Object]) -> None:
    name = generator["name"]
    known = [each for each in made if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    if generator.get("behavior") == "merge":
        known[0]["data"] |= data
        return
    assert not known, f"{kind} {name} twice"
    one = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, "data": data}
    made.append(one | ({"type": generator.get("type", "Opaque")} if kind == "Secret" else {}))


def _patch(patch: Object, made: list[Object]) -> None:
    kind, name = patch["target"]["kind"], patch["target"].get("name", ".+")
    found = [
        each
        for each in made
        if re.fullmatch(kind, each["kind"]) and re.fullmatch(name, each["metadata"]["name"])
    ]
    assert found, f"a patch changes nothing: {patch['target']}"
    for one in found:
        (changes,) = read_all(patch["patch"])
        for change in changes:
            _change(one, change)


def _change(one: Object, change: Any) -> None:  # noqa: ANN401 - as it is read
    *way, last = change["path"].split("/")[1:]
    inside: Any = one
    for part in way:
        inside = inside[int(part) if isinstance(inside, list) else part]
    assert change["op"] == "add" or last in inside, change["path"]
    if change["op"] == "remove":
        del inside[last]
    elif last == "-":
        inside.append(change["value"])
    else:
        inside[last] = change["value"]


def _rename(image: Object, made: list[Object]) -> None:
    for one in made:
        spec = one.get("spec", {})
        pod = spec.get("jobTemplate", one).get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", ()):
            name, _, tag = container["image"].partition(":")
            if name == image["name"]:
                container["image"] = f"{image['newName']}:{tag}"
