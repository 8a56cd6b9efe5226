"""How the doctor reads the files of a bot: as Rasa does, and what it says where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.doctor import bot_files
from actions.ps7.cli.doctor.bot_files import Sources
from actions.ps7.cli.doctor.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOT = "slots: {segment: {type: %s, mappings: [{type: custom}]}}\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return folder


def said(found: list[Finding], folder: Path) -> list[str]:
    return [finding.found.replace(f"{folder}/", "") for finding in found]


def test_a_folder_is_searched_as_rasa_expects_it(tmp_path: Path) -> None:
    """What is there, and no more."""
    names = (
        "domain.yml",
        "domain/a.yml",
        "domain_old.yml",
        "config.yml",
        "data/x.yml",
        "actions/a",
    )
    write(tmp_path, dict.fromkeys(names, ""))
    assert bot_files.in_folder(tmp_path) == Sources(
        domain=(tmp_path / "domain.yml", tmp_path / "domain"),
        data=(tmp_path / "data",),
        config=tmp_path / "config.yml",
        actions=tmp_path / "actions",
    )
    assert bot_files.in_folder(tmp_path / "domain") == Sources()


def test_files_of_a_folder_are_read_before_those_below_it(tmp_path: Path) -> None:
    """So what stands further up wins, whatever its name; hidden and other files do not count."""
    write(
        tmp_path,
        {
            "a/below.yml": SLOT % "bool",
            "z.yaml": SLOT % "text",
            ".hidden.yml": SLOT % "float",
            "notes.txt": "slots: [",
            "nlu.yml": "nlu: []",
            "empty.yml": "",
        },
    )
    found, bot = bot_files.read(Sources(domain=(tmp_path,)))
    assert said(found, tmp_path) == ["the domain was read, from 2 files"]
    assert bot is not None
    assert bot.slots["segment"].type == "text"
    assert (bot.doubles, bot.has_data, bot.policies) == ({}, False, None)


def test_a_domain_that_is_a_file_and_a_folder(tmp_path: Path) -> None:
    """Rasa takes the file: what was merged into the folder is not in the model."""
    write(tmp_path, {"domain.yml": SLOT % "text", "domain/ps7.yml": SLOT % "text"})
    found, _ = bot_files.read(bot_files.in_folder(tmp_path))
    assert [(finding.id, finding.found) for finding in found[1:]] == [
        (
            "domain-both",
            (
                "domain.yml lies beside the folder domain: `rasa train` reads the file alone "
                "unless it is told otherwise"
            ),
        )
    ]
    paths = (tmp_path / "domain.yml", tmp_path / "elsewhere" / "domain")
    write(paths[1], {"ps7.yml": SLOT % "text"})
    found, _ = bot_files.read(Sources(domain=paths))
    assert [finding.id for finding in found] == ["domain"]


def test_what_several_parts_say_is_merged(tmp_path: Path) -> None:
    """Sessions, forms, actions and answers, of whatever stands first."""
    write(
        tmp_path,
        {
            "a.yml": "actions: [one]\nforms: {f: {required_slots: [x]}}\n"
            "session_config: {session_expiration_time: 5}\n"
            "responses: {u: [{text: a, condition: [{type: slot, name: s, value: a}]}]}",
            "b.yml": "actions: [two, {three: {}}]\nforms: {f: {}, g: {}}\n"
            "session_config: {session_expiration_time: 7}\n"
            "responses: {u: [{text: a, condition: [{type: slot, name: s, value: b}]}]}",
        },
    )
    _, bot = bot_files.read(Sources(domain=(tmp_path,)))
    assert bot is not None
    assert sorted(bot.actions) == ["one", "three", "two"]
    assert bot.forms == {"f": ("x",), "g": ()}
    assert bot.session == {"session_expiration_time": 5}
    assert bot.conditions == (("u", "s", "a"),)


def test_a_slot_that_files_of_one_folder_declare_differently(tmp_path: Path) -> None:
    """Which of them Rasa takes depends on the file system; equal ones do no harm."""
    write(tmp_path, {"a.yml": SLOT % "text", "b.yml": SLOT % "bool", "c.yml": "slots: {x: {}}"})
    write(tmp_path, {"d.yml": "slots: {x: {}}"})
    _, bot = bot_files.read(Sources(domain=(tmp_path,)))
    assert bot is not None
    assert bot.doubles == {"segment": ("a.yml", "b.yml")}


def test_files_that_are_not_there(tmp_path: Path) -> None:
    """Each is named, and nothing else is looked at: what they say is not known."""
    missing = [tmp_path / name for name in ("domain", "data", "config.yml", "endpoints.yml")]
    found, bot = bot_files.read(
        Sources((missing[0],), (missing[1],), config=missing[2], endpoints=missing[3])
    )
    assert bot is None
    assert {finding.level for finding in found} == {Level.ERROR}
    assert said(found, tmp_path) == [
        "domain does not exist",
        "data does not exist",
        "config.yml does not exist",
        "endpoints.yml does not exist",
    ]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"slots:\n  a: [\n", " (line 3)"),
        (b"slots: {a: 1, a: 2}\n", " (line 1)"),
        (b"\xff", ""),
        (b"slots: !!python/object:os.system x\n", " (line 1)"),
    ],
)
def test_files_that_are_no_yaml(tmp_path: Path, content: bytes, where: str) -> None:
    """The line is named, and nothing of what it says."""
    file = tmp_path / "domain.yml"
    file.write_bytes(content)
    found, bot = bot_files.read(Sources(domain=(file,)))
    assert bot is None
    assert said(found, tmp_path) == [f"domain.yml cannot be read as YAML{where}"]


@pytest.mark.parametrize(
    "content", ["[a, b]", "slots: [a]\nforms: 7\nactions: {a: 1}", "slots: {a: 1}"]
)
def test_yaml_that_rasa_would_not_take_breaks_nothing(tmp_path: Path, content: str) -> None:
    """Rasa's own validation says what is wrong with it."""
    file = write(tmp_path, {"domain.yml": content}) / "domain.yml"
    odd = {"rules": 7, "stories": [7, {"story": "s", "steps": 7}], "flows": [7]}
    data = write(tmp_path, {"data.yml": str(odd)}) / "data.yml"
    config = write(tmp_path, {"config.yml": "[7]"}) / "config.yml"
    found, _ = bot_files.read(Sources((file,), (data,), config=config))
    assert said(found, tmp_path)[-1] in (
        "the domain was read, from one file",
        "there is no domain to look at",
    )


def test_training_data_of_another_kind_is_not_parsed(tmp_path: Path) -> None:
    """It may be long, and says nothing of actions and slots."""
    write(tmp_path, {"domain.yml": SLOT % "text", "data/nlu.yml": "nlu: ["})
    found, _ = bot_files.read(bot_files.in_folder(tmp_path))
    assert [finding.id for finding in found] == ["domain"]


def test_the_word_no_is_text(tmp_path: Path) -> None:
    """As for Rasa, which reads YAML 1.2."""
    write(tmp_path, {"domain.yml": "slots: {a: {type: categorical, values: [no, On]}}"})
    _, bot = bot_files.read(Sources(domain=(tmp_path / "domain.yml",)))
    assert bot is not None
    assert bot.slots["a"].values == ("no", "on")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("action_endpoint: {url: http://localhost:5055/webhook}", []),
        ("action_endpoint: {actions_module: actions}", []),
        ("tracker_store: {}", ["endpoint-missing"]),
        ("", ["endpoint-missing"]),
    ],
)
def test_endpoints_without_an_action_server(tmp_path: Path, content: str, found: list[str]) -> None:
    """Then no custom action runs at all."""
    write(tmp_path, {"domain.yml": SLOT % "text", "endpoints.yml": content})
    findings, _ = bot_files.read(bot_files.in_folder(tmp_path))
    assert [finding.id for finding in findings if finding.level is not Level.OK] == found


@pytest.mark.parametrize(
    ("content", "selective"),
    [
        ("action_endpoint: {url: x, enable_selective_domain: true}", True),
        ("action_endpoint: {url: x, enable_selective_domain: false}", False),
        ("action_endpoint: {url: x}", False),
        ("action_endpoint: x", False),
    ],
)
def test_whether_rasa_leaves_the_domain_out(tmp_path: Path, content: str, selective: bool) -> None:
    """Then it is sent to the actions that ask for it; what stands first in the domain counts."""
    files = {
        "domain/a.yml": "actions: [a, {b: {send_domain: true}}, {c: 5}]",
        "domain/b.yml": "actions: [{a: {send_domain: true}}, b]",
    }
    write(tmp_path, {**files, "endpoints.yml": content})
    _, bot = bot_files.read(bot_files.in_folder(tmp_path))
    assert bot is not None
    assert bot.selective is selective
    assert bot.actions == {"a": False, "b": True, "c": False}


@pytest.mark.parametrize(
    ("files", "found", "looks_up"),
    [
        ({"actions/__init__.py": "import rasa_ps7"}, [], False),
        ({"actions/ps7/__init__.py": "PS7SessionStart"}, [], False),
        (
            {
                "actions/ps7/__init__.py": "",
                "actions/start/a.py": "from ..ps7 import PS7SessionStart",
            },
            [],
            True,
        ),
        (
            {"actions/balance.py": "pass"},
            ["actions has no copy of the plugin and imports none"],
            False,
        ),
        ({"domain.yml": SLOT % "text"}, [], None),
    ],
)
def test_the_bots_own_code_is_looked_at(
    tmp_path: Path, files: dict[str, str], found: list[str], looks_up: bool | None
) -> None:
    """Whether it knows the plugin, and the session that starts with the lookup."""
    write(tmp_path, {"domain.yml": SLOT % "text", **files})
    findings, bot = bot_files.read(bot_files.in_folder(tmp_path))
    assert bot is not None
    assert bot.session_start_looks_up is looks_up
    wrong = [finding for finding in findings if finding.level is not Level.OK]
    assert said(wrong, tmp_path) == found


def test_a_folder_of_domain_files_may_be_a_link(tmp_path: Path) -> None:
    """Rasa follows it."""
    write(tmp_path, {"shared/ps7.yml": SLOT % "text", "domain/bot.yml": "intents: [greet]"})
    (tmp_path / "domain" / "ps7").symlink_to(tmp_path / "shared")
    found, _ = bot_files.read(bot_files.in_folder(tmp_path))
    assert said(found, tmp_path) == ["the domain was read, from 2 files"]


def test_the_plugin_may_be_a_link() -> None:
    """As in the examples."""
    found, bot = bot_files.read(bot_files.in_folder(EXAMPLES / "calm-bot"))
    assert [finding.id for finding in found] == ["domain"]
    assert bot is not None
    assert (bot.session_start_looks_up, bot.is_calm) == (True, True)
