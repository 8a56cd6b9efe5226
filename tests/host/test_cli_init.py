"""`rasa-ps7 init`: what it changes in five bots, what it leaves alone, and how it ends."""

from __future__ import annotations

import difflib
import json
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from actions.ps7.cli.command import main
from actions.ps7.cli.domain import CALM, OSS, fragment
from tests.support.command import Terminal
from tests.support.init_bots import BOTS, lay_out

FRAGMENT, OWN, JOURNAL = "domain/ps7/domain.yml", "domain/bot.yml", ".rasa-ps7.json"
NOTHING = "Nothing to change: the plugin is in this bot.\n"
GREETING = """\
+    - text: "Olá! Sou a assistente do Personnalité."
+      condition:
+        - type: slot
+          name: segment
+          value: Personnalité
"""
IMPORT = "+import rasa_ps7\n"
KEY = """\
+# Encrypts what PS7 said of a customer. Keep it secret: commit it nowhere.
+PS7_SEAL_KEYS=…
"""
SIMULATOR = f"""\
+# PS7: here the simulator, which `rasa-ps7 simulate --port 8099` starts.
+PS7_BASE_URL=http://127.0.0.1:8099
+PS7_USERNAME=simulator
+PS7_PASSWORD=simulator
{KEY}"""
ENDPOINT = """\
+action_endpoint:
+  url: "http://localhost:5055/webhook"
"""
CHANGED = {
    "rasa-init": {
        OWN: GREETING,
        "actions/__init__.py": IMPORT,
        "endpoints.yml": f"""\
-#action_endpoint:
-#  url: "http://localhost:5055/webhook"
{ENDPOINT}""",
        ".env": SIMULATOR,
    },
    "file": {
        OWN: GREETING,
        "actions/__init__.py": IMPORT,
        "endpoints.yml": ENDPOINT,
        ".env": SIMULATOR,
    },
    "folder": {
        "domain/texts/b.yml": GREETING.replace("\n", "\r\n"),
        "actions/__init__.py": f"-import logging+import logging\n{IMPORT}",
        ".gitignore": "-models/+models/\n+.env\n",
        ".env": SIMULATOR,
    },
    "payee": {
        OWN: GREETING,
        "actions.py": IMPORT,
        "endpoints.yml": ENDPOINT,
        ".env": f"""\
{SIMULATOR}\
+# What this bot calls slots of the plugin.
+PS7_SLOT_NAMES={{"cpf": "customer_cpf"}}
""",
    },
    "actions": {
        OWN: GREETING,
        "actions/__init__.py": IMPORT,
        ".env": f"-PS7_PASSWORD=planted+PS7_PASSWORD=planted\n{KEY}",
    },
}
"""What each bot's files have more and less, beside the fragment."""


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing is set."""
    return isolated


def tree() -> dict[str, str]:
    """Read every file of the bot. Keys are made by chance: they are left out."""
    return {
        path.as_posix(): re.sub("(PS7_SEAL_KEYS=).*", r"\1…", path.read_bytes().decode())
        for path in sorted(Path().rglob("*"))
        if path.is_file() and path.parts[0] not in {JOURNAL, ".git"}
    }


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the lines that a file has less and more; a file that moved is known by its place."""
    moved = {OWN if name == "domain.yml" else name: text for name, text in before.items()}
    before = moved if "domain.yml" not in after else before
    assert before.keys() <= after.keys()
    found = {}
    for name, text in after.items():
        texts = (before.get(name, "").splitlines(True), text.splitlines(True))
        lines = list(difflib.unified_diff(*texts, n=0))[2:]
        found[name] = "".join(line for line in lines if not line.startswith("@@"))
    return {name: text for name, text in found.items() if text}


def bot(name: str = "file", changed: Mapping[str, str | None] | None = None) -> dict[str, str]:
    """Lay a bot out with some files changed, or left out (None); return all of it."""
    files = {**BOTS[name], **(changed or {})}
    lay_out(Path(), {path: text for path, text in files.items() if text is not None})
    return tree()


@pytest.mark.parametrize("name", BOTS)
def test_what_it_changes_and_that_it_does_so_once(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines are put in and nothing else moves; the doctor is content, also where it is strict."""
    before = bot(name)
    assert main(["init", "--yes"]) == 0
    assert capsys.readouterr().err == ""
    after = tree()
    names = {"cpf": "customer_cpf"} if name == "payee" else {}
    assert after.pop(FRAGMENT) == fragment(OSS, names=names)
    assert changes(before, after) == CHANGED[name]

    whole = tree()
    assert main(["init"]) == 0
    out, err = capsys.readouterr()
    assert (out.startswith(NOTHING), "Left to you" in out, err) == (True, False, "")
    assert tree() == whole
    assert main(["doctor", "--bot", ".", "--only-bot", "--strict"]) == 0


def test_it_shows_what_it_would_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Into a pipe it asks nobody and does nothing; no secret is shown, old or new."""
    before = bot("actions", {"endpoints.yml": "tracker_store: {password: planted}"})
    assert main(["init"]) == 1
    out, err = capsys.readouterr()
    assert err == "nothing was changed: --yes makes these changes\n"
    assert out.startswith(
        """\
Changes
  new      .rasa-ps7.json (what `init --undo` reads: commit it with the rest)
  changed  .env (0600: for its owner alone)
  changed  actions/__init__.py
  changed  endpoints.yml
  moved    domain.yml -> domain/bot.yml
  new      domain/ps7/domain.yml (the plugin's slots and actions, 172 lines)

--- .env
+++ .env
@@ -2,0 +3,2 @@
+# Encrypts what PS7 said of a customer. Keep it secret: commit it nowhere.
+PS7_SEAL_KEYS=(a new key)

--- actions/__init__.py
+++ actions/__init__.py
@@ -0,0 +1 @@
+import rasa_ps7

--- endpoints.yml
+++ endpoints.yml
@@ -1,0 +2,2 @@
+action_endpoint:
+  url: "http://localhost:5055/webhook"

--- domain.yml
"""
    )
    assert ("planted" in out, '["' in out) == (False, False)
    assert main(["init", "--dry-run"]) == 0
    assert capsys.readouterr() == (out, "")
    assert tree() == before


@pytest.mark.parametrize(
    ("answer", "done"),
    [("y\n", True), ("Sim\n", True), ("\n", False), ("no\n", False), ("", False)],
)
def test_it_asks_at_a_terminal(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str, done: bool
) -> None:
    """And takes no answer for a no."""
    before = bot()
    given.setattr("sys.stdin", Terminal(answer))
    given.setattr("sys.stdout", out := Terminal())
    assert main(["init"]) == (0 if done else 1)
    assert "Make these changes? [y/N] " in out.getvalue()
    assert (tree() != before) is done
    assert capsys.readouterr().err == ("" if done else "nothing was changed\n")


# -- refusals -------------------------------------------------------------------------------------


def link() -> None:
    Path("elsewhere").mkdir()
    Path("domain.yml").rename("elsewhere/domain.yml")
    Path("domain.yml").symlink_to("elsewhere/domain.yml")


def file_in_the_place_of_a_folder() -> None:
    Path("domain.yml").rename("domain")


def linked_folder() -> None:
    Path("elsewhere").mkdir()
    Path("actions").symlink_to("elsewhere")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ({"domain.yml": None}, "there is no domain.yml here and no folder domain: this is no bot"),
        (
            {"domain/b.yml": "intents: []"},
            "domain.yml and domain lie side by side: nothing was changed. Put all in the folder",
        ),
        (
            {"domain.yml": "responses: {}\nslots: {}\nresponses: {}\n"},
            "domain.yml has the same key twice (line 3): nothing was changed",
        ),
        (
            {"endpoints.yml": "a: [", "config.yml": "\xff"},
            (
                "config.yml cannot be read as YAML: nothing was changed\n"
                "endpoints.yml cannot be read as YAML (line 1): nothing was changed"
            ),
        ),
        ({".gitignore": "\xff"}, ".gitignore is not UTF-8: nothing was changed"),
        ({".gitignore/x": ""}, ".gitignore cannot be read: Is a directory"),
        ({"actions": ""}, "actions/__init__.py cannot be read: Not a directory"),
        (file_in_the_place_of_a_folder, "domain/ps7/domain.yml cannot be read: Not a directory"),
        (link, "domain.yml is a link: nothing was changed; edit what it names"),
        (linked_folder, "actions is a link: nothing was changed; edit what it names"),
        (
            {".env": "PS7_SLOT_NAMES=7"},
            (
                "The PS7 settings are not usable:\n  PS7_SLOT_NAMES cannot be used; it expects "
                'a JSON object from our slot names to yours, such as {"agency": "agencia"}, '
                "no name twice"
            ),
        ),
    ],
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_what_it_refuses(
    capsys: pytest.CaptureFixture[str],
    spoil: dict[str, str | None] | Callable[[], None],
    complaint: str,
) -> None:
    """A file that it cannot read or write as a whole: one line names it, and nothing is written."""
    bot()
    if callable(spoil):
        spoil()
    else:
        for name, content in spoil.items():
            Path(name).parent.mkdir(exist_ok=True)
            if content is None:
                Path(name).unlink()
            else:
                Path(name).write_bytes(content.encode("latin-1"))
    before = {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")}
    assert main(["init", "--yes"]) == 1
    assert capsys.readouterr() == ("", f"{complaint}\n")
    assert {path: path.is_file() and path.read_bytes() for path in Path().rglob("*")} == before


@pytest.mark.parametrize("read_only", [".", "endpoints.yml"])
def test_what_may_not_be_written(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], read_only: str
) -> None:
    """It asks the system, whoever runs this test."""
    before = bot("rasa-init")
    given.setattr("os.access", lambda path, _: path != Path(read_only))
    assert main(["init", "--yes"]) == 1
    assert capsys.readouterr().err == f"{read_only} is read-only: nothing was changed\n"
    assert tree() == before


@pytest.mark.parametrize("failing", range(7))
def test_a_failure_in_between(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: int
) -> None:
    """Whatever is written by then, the next run makes the rest of the same bot."""
    bot("payee")
    subprocess.run(["git", "init", "-q"], check=True)
    written = iter(range(7))
    rename = Path.rename

    def replace(path: Path, target: Path) -> Path:
        if next(written) == failing:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    with given.context() as full:
        full.setattr(Path, "replace", replace)
        full.setattr(Path, "rename", replace)
        assert main(["init", "--yes"]) == 1
    assert "cannot be written: No space left on device\n" in capsys.readouterr().err
    assert main(["init", "--yes"]) == 0
    after = tree()
    assert after.pop(FRAGMENT) == fragment(OSS, names={"cpf": "customer_cpf"})
    assert changes(BOTS["payee"], after) == {**CHANGED["payee"], ".gitignore": "+.env\n"}


# -- what is left to a person ---------------------------------------------------------------------

DOMAIN = BOTS["file"]["domain.yml"]
GREETS = '    - text: "Olá!"\n'
BY_SEGMENT = "greet by slot segment there, or all hear the same"
SERVER = "name the action server under `action_endpoint:`, or Rasa runs no action"
AS_SHOWN = "as docs/integration.md shows: until then the first message finds no customer"


def left(out: str) -> list[str]:
    """Return what is left to a person."""
    listed = re.findall(r"Left to you\n((?:  .*\n)*)", out)
    return [line.strip() for part in listed for line in part.splitlines()]


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        (
            {},
            "--greet utter_oi",
            "there is no response utter_oi to greet by segment: --greet names it",
        ),
        (
            {"domain.yml": None, "domain/a.yml": "utter_greet: [", "domain/b.yml": DOMAIN},
            "",
            None,  # what has nothing of a domain in it is not read
        ),
        ({}, "--slots cpf_masked", "slot segment is not declared, so nothing greets by it"),
        (
            {"domain.yml": DOMAIN.replace(GREETS, GREETS + "      condition: [{type: slot}]\n")},
            "",
            f"utter_greet has conditions already: {BY_SEGMENT}",
        ),
        (
            {"domain.yml": DOMAIN.replace(f"\n{GREETS}", ' [{text: "Olá!"}]\n')},
            "",
            f"utter_greet is not written in lines of its own: {BY_SEGMENT}",
        ),
        ({"endpoints.yml": "action_endpoint:\n"}, "", None),  # the doctor says so
        (
            {"endpoints.yml": "{tracker_store: {}}\n"},
            "",
            f"endpoints.yml: {SERVER}",
        ),
        (
            {"domain.yml": f"{DOMAIN}actions: [action_session_start]\n"},
            "--calm",
            f"derive your action_session_start (not found) from PS7SessionStart, {AS_SHOWN}",
        ),
        (
            {FRAGMENT: "slots: {}\n", "domain/a.yml": DOMAIN, "domain.yml": None},
            "",
            "domain/ps7/domain.yml is there and declares no ps7_status: mend it, or nothing runs",
        ),
        ({"domain.yml": f"{DOMAIN}slots: {{segment: {{type: text}}}}\n"}, "", None),
    ],
)
def test_what_it_leaves_to_a_person(
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str | None],
    arguments: str,
    expected: str | None,
) -> None:
    """A sentence for each, unless the doctor has one. Everything else is done."""
    bot("file", files)
    main(["init", "--yes", *arguments.split()])
    assert left(capsys.readouterr().out) == ([expected] if expected else [])


def test_a_bot_that_merged_the_fragment_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """Its file stays where it is; the rest is done."""
    before = bot("file", {"domain.yml": DOMAIN + SLOTS})
    assert main(["init", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "\n  rasa train && rasa run\n" in out
    found = changes(before, tree())
    assert found.pop("domain.yml") == GREETING
    assert sorted(found) == [".env", "actions/__init__.py", "endpoints.yml"]


SLOTS = """slots:
  ps7_status: {type: categorical, values: [ok, missing, invalid, rejected, denied, unavailable,
    expired, tampered], mappings: [{type: custom, action: action_ps7_context}]}
  ps7_context: {type: text, influence_conversation: false, mappings: [{type: custom}]}
  segment: {type: text, influence_conversation: false, mappings: [{type: custom}]}
"""


# -- other kinds of bots --------------------------------------------------------------------------

OWN_SLOTS = """slots:
  agencia: {type: text, mappings: [{type: from_text}]}
  phone_number: {type: text, mappings: [{type: from_text}]}
"""


@pytest.mark.parametrize(
    ("arguments", "variables", "names", "greets_by"),
    [
        ("", "", {"phone_number": "customer_phone_number"}, "segment"),
        (
            "--pt --slots agency,segment",
            "",
            {
                "agency": "agencia_cliente",
                "segment": "segmento",
                "phone_number": "phone_number_cliente",
            },
            "segmento",
        ),
        ("--pt", 'PS7_SLOT_NAMES={"segment": "faixa"}\n', None, "faixa"),
    ],
)
def test_the_names_of_slots(
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    variables: str,
    names: dict[str, str] | None,
    greets_by: str,
) -> None:
    """What the bot has stays the bot's. Names that are set already count, and no others."""
    bot("file", {"domain.yml": DOMAIN + OWN_SLOTS})
    Path(".env").write_text(variables)
    code = main(["init", "--yes", *arguments.split()])
    after = tree()
    said = re.findall("PS7_SLOT_NAMES=(.*)", after[".env"])
    assert json.loads(said[0]) == ({"segment": "faixa"} if names is None else names)
    declared = YAML(typ="safe").load(after[FRAGMENT])["slots"]
    assert greets_by in declared
    assert not {"agencia", "phone_number"} & declared.keys()
    assert f"        name: {greets_by}\n" in after[OWN].replace("  name", "name")
    assert ("[slot-filled-elsewhere]" in capsys.readouterr().out) is (names is None)
    assert code == (1 if names is None else 0)


@pytest.mark.parametrize(
    ("name", "files"),
    [("file", {}), ("payee", {}), ("payee", {"actions.py": "import rasa_ps7\n"})],
)
def test_a_look_up_at_the_sessions_start(
    capsys: pytest.CaptureFixture[str], name: str, files: dict[str, str]
) -> None:
    """The class stands where the action server loads it, and it is said what rules need."""
    bot(name, files)
    assert main(["init", "--yes", "--at-session-start"]) == 0
    names = {"cpf": "customer_cpf"} if name == "payee" else {}
    after = tree()
    assert after[FRAGMENT] == fragment(OSS, at_session_start=True, names=names)
    out = capsys.readouterr().out
    (said,) = left(out)
    assert said.startswith("let each rule or flow that needs the customer call action_ps7_context")
    module = after["actions/ps7_session.py" if name == "file" else "actions.py"]
    assert module.endswith(
        """from rasa_ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    \"""Knows the customer before the first turn.\"""
"""
    )
    main(["init"])
    assert capsys.readouterr().out.startswith(NOTHING)


@pytest.mark.parametrize("file", ["actions.py", "actions/own.py"])
def test_a_comment_that_names_the_plugin_is_no_import(file: str) -> None:
    """The doctor reads code in the same way, and has nothing to say afterwards."""
    bot("file", {file: "# rasa_ps7 comes here\n"})
    assert main(["init", "--yes"]) == 0
    module = "actions.py" if file == "actions.py" else "actions/__init__.py"
    assert "\nimport rasa_ps7\n" in f"\n{tree()[module]}"
    assert main(["doctor", "--bot", ".", "--only-bot", "--strict"]) == 0


@pytest.mark.parametrize("arguments", [["--calm"], []])
def test_a_bot_for_calm(arguments: list[str]) -> None:
    """By the option, or by its flows: a fragment and a session start for it, and its policies."""
    flows = "flows: {pay: {steps: [{action: utter_greet}]}}\n"
    before = bot("file", {} if arguments else {"data/flows.yml": flows})
    assert main(["init", "--yes", *arguments]) == 0
    after = tree()
    assert after[FRAGMENT] == fragment(CALM)
    assert "actions/ps7_session.py" in after
    assert after["config.yml"] == before["config.yml"]


def test_the_plugin_as_a_folder() -> None:
    """Nothing imports the wheel then."""
    bot("rasa-init", {"actions/ps7/__init__.py": "PS7SessionStart"})
    assert main(["init", "--yes", "--at-session-start"]) == 0
    after = tree()
    assert after["actions/__init__.py"] == ""
    assert after["actions/ps7_session.py"].startswith("from .ps7 import PS7SessionStart\n")


# -- how it goes on -------------------------------------------------------------------------------

MODULE = "action_endpoint: {actions_module: actions}\n"
ENDPOINTS = "config/endpoints.yml"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {},
            (
                "PYTHON -m actions.ps7 simulate --port 8099",
                "PYTHON -m rasa_sdk --actions actions",
                "rasa train --domain domain && rasa run",
                "PYTHON -m actions.ps7 chat --as ana",
                "# each command of Rasa that reads the domain takes `--domain domain` now",
            ),
        ),
        (
            {
                "config.yml": None,
                "config/config.yml": BOTS["file"]["config.yml"],
                ENDPOINTS: "action_endpoint: {url: 'http://actions:5056/webhook'}\n",
                ".env": "PS7_BASE_URL=https://cec.example.com\n",
                "domain.yml": DOMAIN + SLOTS,
                "rasa-ps7": "",  # where pip puts it: beside the interpreter
            },
            (
                "PYTHON -m rasa_sdk --actions actions --port 5056",
                f"rasa train --config config/config.yml && rasa run --endpoints {ENDPOINTS}",
                "rasa-ps7 chat",
            ),
        ),
        (
            {"endpoints.yml": MODULE, "actions/own.py": "class A(PS7SessionStart): ...\n"},
            (
                "PYTHON -m actions.ps7 simulate --port 8099",
                "rasa train --domain domain && rasa run, from where the plugin is",
                "PYTHON -m actions.ps7 chat --as ana",
                "# each command of Rasa that reads the domain takes `--domain domain` now",
            ),
        ),
    ],
)
def test_what_comes_next_fits_the_bot(
    given: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    files: dict[str, str | None],
    expected: tuple[str, ...],
) -> None:
    """The interpreter in use, the bot's port and files; the simulator only if PS7 is none."""
    given.setattr("sys.executable", str(Path("PYTHON").absolute()))
    bot("file", files)
    assert main(["init", "--yes", "--at-session-start"]) in {0, 1}
    shown = capsys.readouterr().out.partition("Next, each line in a terminal of its own\n")[2]
    assert tuple(line.strip() for line in shown.splitlines()) == expected


def test_what_builds_the_bot_is_looked_at_in_all_of_its_repository(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the names of such files; what is installed or hidden is not."""
    says = "rasa train\ncp bot/domain.yml x\nrasa train --domain domain\n"
    there = ("Makefile", "docker/app.Dockerfile", ".github/workflows/ci.yml", "bot/up.sh")
    names = (*there, "README.md", "node_modules/a/Makefile", ".venv/Makefile", ".github/x.yml")
    lay_out(Path(), dict.fromkeys(names, says))
    lay_out(Path("bot"), BOTS["file"])
    subprocess.run(["git", "init", "-q"], check=True)
    given.chdir("bot")
    main(["init", "--yes"])
    (said,) = left(capsys.readouterr().out)
    found = [
        f"{place}:{line}"
        for place in ("../Makefile", "../.github/workflows/ci.yml")
        for line in (1, 2)
    ]
    more = [f"{place}:{line}" for place in ("up.sh", "../docker/app.Dockerfile") for line in (1, 2)]
    assert said.endswith(f"; see to {', '.join(found + more)}")
