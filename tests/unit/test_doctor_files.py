"""How the doctor reads the files of a bot: as Rasa does, and what it finds where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions.ps7.cli.bot import files
from actions.ps7.cli.bot import sources as bot
from actions.ps7.cli.bot.content import Bot
from actions.ps7.cli.bot.files import Reader
from actions.ps7.cli.bot.sources import Sources
from actions.ps7.cli.bot.yaml import UnreadableError
from actions.ps7.cli.variables import _MOST_BYTES as ENV_BYTES
from tests.support.doctor import assert_found, wrong
from tests.support.init_bots import lay_out

SLOT = "slots: {segment: {type: %s, mappings: [{type: custom}]}}\n"


def read(folder: Path, sources: Sources | None = None) -> tuple[list[str], Bot]:
    """Return what is wrong with the files, and the bot that they describe."""
    found, there = bot.read(sources or bot.in_folder(folder))
    assert there is not None
    return wrong(found), there


def test_a_folder_is_searched_as_rasa_expects_it(tmp_path: Path) -> None:
    """What is there, and no more."""
    names = ("domain.yml", "domain/a.yml", "domain_old.yml", "config.yml", "data/x.yml")
    more = (
        "config/config.yml",
        "config/endpoints.yml",
        "config/data",
        "e2e_tests/x.yml",
        "tests/x",
    )
    lay_out(tmp_path, dict.fromkeys((*names, *more), ""))
    assert bot.in_folder(tmp_path) == {
        "folder": [tmp_path],
        "domain": [tmp_path / "domain.yml", tmp_path / "domain"],
        "data": [tmp_path / "data"],
        "config": [tmp_path / "config.yml"],
        "endpoints": [tmp_path / "config" / "endpoints.yml"],
        "e2e": [tmp_path / "e2e_tests", tmp_path / "tests"],
    }
    assert bot.in_folder(tmp_path / "domain") == {"folder": [tmp_path / "domain"]}


def test_files_of_a_folder_are_read_before_those_below_it(tmp_path: Path) -> None:
    """So what stands further up wins, whatever its name; hidden and other files do not count."""
    above = {"z.yaml": SLOT % "text", "nlu.yml": "nlu: [", "empty.yml": ""}
    below = {f"{each}/below.yml": SLOT % each + f"session_config: {{x: {each}}}" for each in "ba"}
    others = {**below, ".hidden.yml": SLOT % "float", "notes.txt": "slots: ["}
    lay_out(tmp_path / "domain", above | others)
    found, there = bot.read(bot.in_folder(tmp_path))
    unseen = "there is no config.yml, endpoints.yml and credentials.yml"
    assert [each.found for each in found] == [f"the domain was read, from 3 files; {unseen}"]
    assert there is not None
    (alone,) = bot.read({"domain": [tmp_path / "domain"]})[0]
    assert alone.found == "the domain was read, from 3 files"
    assert there.session == {"x": "a"}
    assert there.slots["segment"]["type"] == "text"
    assert (there.scripts, there.config, there.endpoints, there.code) == (None, None, None, None)


def test_what_several_parts_say_is_merged(tmp_path: Path) -> None:
    """Forms, actions, answers and sessions, of what stands first; answers of the data before."""
    first = (
        "forms: {f: {required_slots: [a]}}\nresponses: {u: [{text: a}]}\nsession_config: {x: 5}\n"
    )
    second = "forms: {f: {}, g: {}}\nresponses: {u: [{text: b}], v: []}\nsession_config: {x: 7}\n"
    files = {
        "domain/a.yml": f"{first}actions: [a, {{b: {{send_domain: true}}}}, {{c: 5}}]",
        "domain/b.yml": f"{second}actions: [{{a: {{send_domain: true}}}}, b]",
        "data/x.yml": "responses: {v: [{text: c}]}",
        **{f"{name}.yml": f"language: {name}" for name in ("config", "other")},
    }
    lay_out(tmp_path, files)
    configs = [tmp_path / "config.yml", tmp_path / "other.yml"]
    _, there = read(tmp_path, {**bot.in_folder(tmp_path), "config": configs})
    assert there.config == {"language": "config"}
    assert there.actions == {"a": False, "b": True, "c": False}
    assert (there.forms, there.session) == ({"f": {"required_slots": ["a"]}, "g": {}}, {"x": 5})
    assert there.responses == {"u": [{"text": "a"}], "v": [{"text": "c"}]}


OWN = "import rasa_ps7\nname = 'action_a'"
LISTS = "actions: [action_a, action_b, action_listen, utter_c, respond_d]"
LISTS_START = "actions: [action_session_start]"
CLASS = "class Start(PS7SessionStart): ..."
MODULE = "action_endpoint: {actions_module: src.own}"
MISSING = "warning actions-missing: "
TWICE = "if 1:\n  from rasa_ps7 import Any"
NLU, STORY = "## intent:greet\n- hi\n", "## s\n* greet\n  - utter_greet\n"
RULES = "version: '3.1'\nrules: []"
ONLY, BESIDE = "error rasa-3: {}: training data of Rasa 1", "warning rasa-3: "


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"domain/ps7.yml": SLOT % "text"}, "warning domain-both: domain.yml lies beside the f"),
        ({"actions/ps7/__init__.py": "", "actions/a.py": "# not rasa_ps7, its folder"}, ""),
        ({"actions/ps7/__init__.py": "", "actions/a/b.py": TWICE}, "error plugin-twice: actions"),
        ({"domain.yml": f"version: '2.0'\n{SLOT}" % "text"}, ""),
        ({"domain.yml": LISTS_START, "actions.py": f"{OWN}, 'action_session_start'"}, ""),
        ({"tests/x.yml": "#" * (1 << 20) + "#"}, "warning file-skipped: tests/x.yml is larger"),
        ({"domain.yml": LISTS, "actions.py": OWN}, f"{MISSING}the domain lists action_b, which"),
        ({"actions/balance.py": "pass"}, "warning plugin-missing: actions has no copy of the "),
        ({"domain.yml": LISTS_START, "actions.py": "import rasa_ps7"}, "error session-start-missi"),
        ({"domain.yml": LISTS_START, "actions/ps7/a.py": CLASS}, "error session-start-missing: "),
        ({"domain.yml": LISTS_START, "actions/a/b.py": f"import rasa_ps7\n{CLASS}"}, ""),
        ({"endpoints.yml": MODULE, "src/own.py": "import rasa_ps7"}, ""),
        ({"endpoints.yml": MODULE, "src/own.py": ""}, "warning plugin-missing: src/own.py has no"),
        ({"endpoints.yml": "action_endpoint:"}, "error endpoint-missing: endpoints.yml names no"),
        ({"data/nlu.md": NLU}, ONLY.format("data/nlu.md")),
        ({"data/core/s.md": STORY}, ONLY.format("data/core/s.md")),
        ({"data/nlu.md": NLU, "data/x.yml": RULES}, ONLY.format("data/nlu.md")),
        ({"data/nlu.md": NLU, "data/x.yml": "version: '3.1'\nnlu: []"}, BESIDE + "data/nlu.md: tr"),
        ({"data/s.md": STORY, "data/x.yml": "rules: []"}, BESIDE + "data/s.md: training data of"),
        ({"data/README.md": "## Data\n* what the bot says\n- greet: hi\n  - more\n"}, ""),
    ],
)
def test_what_is_wrong_with_the_files_around_a_domain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: str
) -> None:
    """A domain of which Rasa reads a part; no action server, or one without the plugin.

    Rasa 3 trains without what Rasa 1 trained with, and says nothing.
    """
    monkeypatch.chdir(tmp_path)
    lay_out(Path(), {"domain.yml": SLOT % "text", **files})
    assert_found(read(Path())[0], [expected] if expected else [])


FORM = "error rasa-3: in {}/domain.yml, {} is empty or not in the form of Rasa 3"
UNMAPPED = "error rasa-3: slots without usable `mappings:` (a): Rasa 3 does not train"


def slot(text: str) -> str:
    return f"slots: {{a: {text}}}"


LISTS_AND_TABLES = ("intents", "entities", "actions", "slots", "forms", "responses", "templates")


REFUSED: list[tuple[str, str | None]] = [
    *((f"{section}:", section) for section in (*LISTS_AND_TABLES, "session_config")),
    ("intents: {a: 1}", "intents"),
    ("slots: []\nversion: 2.0", "slots and version"),
    ("templates: {utter_a: [{text: a}]}\nintents: []", "templates"),
    ("responses: {utter_a: a, utter_b: , c: []}", "responses.utter_a and responses.utter_b"),
    ("forms: {f: , g: {}, h: [7]}", "forms.f and forms.h"),
    ("forms: {f: {a: [{type: from_text}]}, g: {x: 1}}", "forms.f and forms.g"),
    ("forms: {f: {required_slots: {a: []}}, g: {ignored_intents: []}}", "forms.f and forms.g"),
    ("forms: {f: {required_slots: [a], x: 1}, g: {required_slots: [7]}}", "forms.f and forms.g"),
    *((slot(held), None) for held in ("{type: text}", "{mappings: }", "{mappings: {type: a}}")),
    *((slot(f"{{mappings: [{{type: {kind}}}]}}"), None) for kind in ("[a]", "unknown", "")),
    *((slot(f"{{mappings: [{each}]}}"), None) for each in ("from_text", "{entity: a}")),
    (slot("{mappings: [{type: custom}, {entity: a}]}"), None),
]
"""Domains, and what of them is named; None if it is a slot."""


@pytest.mark.parametrize(("domain", "named"), REFUSED)
def test_what_rasa_3_refuses_is_an_error(tmp_path: Path, domain: str, named: str | None) -> None:
    """So is what Rasa 1 and 2 took; Rasa itself names neither line nor file."""
    lay_out(tmp_path, {"domain.yml": domain})
    odd = FORM.format(tmp_path, named)
    found = read(tmp_path, {"domain": [tmp_path / "domain.yml"]})[0]
    assert_found(found, [UNMAPPED if named is None else odd])


GOOD = [
    "intents: []\nslots: {}\nresponses: {}\nforms: {}\nsession_config: {}\nentities: []",
    "actions: []\nforms: {f: {}, g: {required_slots: []}}\nresponses: {utter_a: []}",
    "forms: {f: {required_slots: , ignored_intents: a}, g: {required_slots: [a, b]}}",
    *(slot(f"{{type: text, mappings: {held}}}") for held in ("[]", "[{type: from_text}]")),
]


@pytest.mark.parametrize("domain", GOOD)
@pytest.mark.parametrize("version", ["", "version: '2.0'\n", "version: '1.0'\n"])
def test_what_rasa_3_takes_is_none(tmp_path: Path, domain: str, version: str) -> None:
    """Empty lists and tables, and a header of an older version alone."""
    lay_out(tmp_path, {"domain.yml": version + domain})
    assert read(tmp_path, {"domain": [tmp_path / "domain.yml"]})[0] == []


def test_each_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """And nothing else is looked at: what they say is not known."""
    kinds = ("domain", "config", "endpoints", "credentials", "data")
    found, there = bot.read({kind: [tmp_path / kind] for kind in kinds})
    absent = [f"error file-missing: {tmp_path / kind} does not exist" for kind in kinds]
    assert (wrong(found), there) == (absent, None)


def test_how_much_of_a_folder_is_read(tmp_path: Path) -> None:
    """A file of a mebibyte, twelve folders deep, and not one more; of a `.env`, 64 KiB."""
    file, reader = tmp_path / "x.yml", Reader([tmp_path])
    for most, read in (
        (1 << 20, reader.text),
        (64 << 10, lambda path: files.text(path, ENV_BYTES)),
    ):
        file.write_text("#" * most)
        assert len(read(file)) == most
        file.write_text("#" * (most + 1))
        with pytest.raises(UnreadableError, match=f"larger than {most >> 10} KiB"):
            read(file)
    for depth in (12, 13):
        lay_out(tmp_path / Path(*"d" * depth), {f"{depth}.yml": ""})
    found = reader.below(tmp_path, lambda name: name.endswith(".yml"))
    assert [path.name for path in found] == ["x.yml", "12.yml"]


ALIASES = "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 12))


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("slots:\n  a: [\n", "cannot be read as YAML (line 3)"),
        ("responses: {}\nresponses: {}\n", "has the same key twice (line 2)"),
        (
            "slots: " + "[" * 900 + "]" * 900,
            "is too much: 50,000 values of a bot are read, 100 dee",
        ),
        (f"slots: &a0 {{k: 1}}\n{ALIASES}", "is too much: 50,000 values"),
        ("slots: &b [*b]\n", "is too much: 50,000 values"),
    ],
)
def test_a_file_that_is_no_yaml_is_named_by_its_line(
    tmp_path: Path, content: str, fault: str
) -> None:
    """And nothing is shown of what it says. A key that stands twice is a fault too."""
    lay_out(tmp_path, {"domain.yml": content})
    found, there = bot.read(bot.in_folder(tmp_path))
    assert there is None
    assert_found(wrong(found), [f"error file-unreadable: {tmp_path}/domain.yml {fault}"])


@pytest.mark.parametrize(
    "content", ["[a]", "slots: [a]\nforms: 7\nactions: {a: 1}", "slots: {a: {mappings: [7]}, b: 1}"]
)
def test_yaml_that_rasa_would_not_take_breaks_nothing(tmp_path: Path, content: str) -> None:
    """Rasa's own validation says what is wrong with it."""
    odd = {"rules": 7, "stories": [7, {"story": "s", "steps": 7}], "flows": [7]}
    lay_out(tmp_path, {"domain.yml": content, "data/x.yml": str(odd), "config.yml": "[7]"})
    found, _ = bot.read({**bot.in_folder(tmp_path), "endpoints": [tmp_path / "data"]})
    assert found[0].id in {"domain", "domain-none"}


def test_files_that_lie_apart_or_are_linked_are_read(tmp_path: Path) -> None:
    """As `rasa train --domain` reads them: a link is followed, and `no` is text (YAML 1.2)."""
    values = "slots: {a: {type: categorical, values: [no, On], mappings: []}}"
    files = {"a/bot.yml": values, "shared/ps7.yml": SLOT % "text", "domain/bot.yml": "forms: {}"}
    lay_out(tmp_path, files)
    (tmp_path / "domain" / "ps7").symlink_to(tmp_path / "shared")
    named = [tmp_path / "a" / "bot.yml", tmp_path / "domain"]
    found, there = read(tmp_path, {"folder": [tmp_path], "domain": named})
    assert (found, list(there.slots)) == ([], ["segment", "a"])
    assert there.slots["a"]["values"] == ["no", "On"]
    code = read(tmp_path, {"domain": named, "actions": [tmp_path / "a"]})[1].code
    assert (there.code, code and code.place) == (None, tmp_path / "a")
