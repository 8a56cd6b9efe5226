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
from tests.support.doctor import assert_found
from tests.support.init_bots import BOTS, fail_at, lay_out, left_to_you

Init = Callable[..., tuple[int, str, str]]
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


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str]) -> Init:
    """What runs the command here; it returns the exit code, and what is written."""

    def run(line: str = "--yes") -> tuple[int, str, str]:
        code = main(["init", *line.split()])
        return code, *capsys.readouterr()

    return run


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
def test_what_it_changes_and_that_it_does_so_once(name: str, init: Init) -> None:
    """Lines are put in and nothing else moves; the doctor is content, also where it is strict."""
    before = bot(name)
    code, _, err = init()
    assert (code, err) == (0, "")
    after = tree()
    names = {"cpf": "customer_cpf"} if name == "payee" else {}
    assert after.pop(FRAGMENT) == fragment(OSS, names=names)
    assert changes(before, after) == CHANGED[name]

    whole = tree()
    code, out, err = init("")
    assert (code, out.startswith(NOTHING), "Left to you" in out, err) == (0, True, False, "")
    assert tree() == whole
    assert main(["doctor", "--bot", ".", "--only-bot", "--strict"]) == 0


def test_it_shows_what_it_would_do(init: Init) -> None:
    """Into a pipe it asks nobody and does nothing; no secret is shown, old or new."""
    before = bot("actions", {"endpoints.yml": "tracker_store: {password: planted}"})
    code, out, err = init("")
    assert (code, err) == (1, "nothing was changed: --yes makes these changes\n")
    assert out.startswith(
        """\
Changes
  new      .rasa-ps7.json (what `init --undo` reads: commit it with the rest)
  changed  .env (0600: only for its owner)
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
    assert init("--dry-run") == (0, out, "")
    assert tree() == before


@pytest.mark.parametrize(
    ("answer", "done"), [("y\n", True), ("Sim\n", True), ("\n", False), ("", False)]
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

NO_YAML, NOTHING_YET = "cannot be read as YAML", "nothing was changed"
BAD_NAMES = """\
The PS7 settings are not usable:
  PS7_SLOT_NAMES cannot be used; it expects a JSON object from our slot names to yours, such as \
{"agency": "agencia"}, no name twice"""


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("rm domain.yml", "there is no domain.yml here and no folder domain: this is no bot"),
        (
            "mkdir domain; echo 'intents: []' > domain/b.yml",
            "domain.yml and domain lie side by side: nothing was changed. Put all in the folder",
        ),
        (
            "echo 'responses: {}' >> domain.yml",
            "domain.yml has the same key twice (line 9): nothing was changed",
        ),
        (
            r"echo 'a: [' > endpoints.yml; printf '\377' > config.yml",
            f"config.yml {NO_YAML}: {NOTHING_YET}\nendpoints.yml {NO_YAML} (line 2): {NOTHING_YET}",
        ),
        (r"printf '\377' > .gitignore", ".gitignore is not UTF-8: nothing was changed"),
        ("mkdir .gitignore", ".gitignore cannot be read: Is a directory"),
        ("touch actions", "actions/__init__.py cannot be read: Not a directory"),
        ("mv domain.yml domain", "domain/ps7/domain.yml cannot be read: Not a directory"),
        (
            "mkdir x; mv domain.yml x; ln -s x/domain.yml domain.yml",
            "domain.yml is a link: nothing was changed; edit what it names",
        ),
        ("mkdir x; ln -s x actions", "actions is a link: nothing was changed; edit what it names"),
        ("echo PS7_SLOT_NAMES=7 > .env", BAD_NAMES),
    ],
)
def test_what_it_refuses(init: Init, spoil: str, complaint: str) -> None:
    """A file that it cannot read or write as a whole: one line names it, and nothing is written."""

    def everything() -> dict[Path, bytes]:
        return {each: each.read_bytes() if each.is_file() else b"" for each in Path().rglob("*")}

    bot()
    subprocess.run(["sh", "-c", spoil], check=True)
    before = everything()
    assert init() == (1, "", f"{complaint}\n")
    assert everything() == before


@pytest.mark.parametrize("read_only", [".", "endpoints.yml"])
def test_what_may_not_be_written(given: pytest.MonkeyPatch, init: Init, read_only: str) -> None:
    """It asks the system, whoever runs this test."""
    before = bot("rasa-init")
    given.setattr("os.access", lambda path, _: path != Path(read_only))
    assert init() == (1, "", f"{read_only} is read-only: nothing was changed\n")
    assert tree() == before


@pytest.mark.parametrize("failing", range(7))
def test_a_failure_in_between(given: pytest.MonkeyPatch, init: Init, failing: int) -> None:
    """Whatever is written by then, the next run makes the rest of the same bot."""
    bot("payee")
    subprocess.run(["git", "init", "-q"], check=True)
    with given.context() as full:
        fail_at(full, failing, "replace", "rename")
        code, _, err = init()
    assert (code, "cannot be written: No space left on device\n" in err) == (1, True)
    assert init()[0] == 0
    after = tree()
    assert after.pop(FRAGMENT) == fragment(OSS, names={"cpf": "customer_cpf"})
    assert changes(BOTS["payee"], after) == {**CHANGED["payee"], ".gitignore": "+.env\n"}


# -- what is left to a person ---------------------------------------------------------------------

DOMAIN = BOTS["file"]["domain.yml"]
GREETS = '    - text: "Olá!"\n'
CONDITION = f"{GREETS}      condition: [{{type: slot}}]\n"
BY_SEGMENT = "greet by slot segment there, or all hear the same"
SLOTS = """slots:
  ps7_status: {type: categorical, values: [ok, missing, invalid, rejected, denied, unavailable,
    expired, tampered], mappings: [{type: custom, action: action_ps7_context}]}
  ps7_context: {type: text, influence_conversation: false, mappings: [{type: custom}]}
  segment: {type: text, influence_conversation: false, mappings: [{type: custom}]}
"""
OWN_START = (
    "derive your action_session_start (not found) from PS7SessionStart, as docs/integration.md "
    "shows: until then the first message finds no customer"
)


@pytest.mark.parametrize(
    ("files", "arguments", "expected"),
    [
        ({}, "--greet utter_oi", "there is no response utter_oi to greet by segment: --greet nam"),
        # What has nothing of a domain in it is not read
        ({"domain.yml": None, "domain/a.yml": "utter_greet: [", "domain/b.yml": DOMAIN}, "", None),
        ({}, "--slots cpf_masked", "slot segment is not declared, so nothing greets by it"),
        (
            {"domain.yml": DOMAIN.replace(GREETS, CONDITION)},
            "",
            f"utter_greet has conditions already: {BY_SEGMENT}",
        ),
        (
            {"domain.yml": DOMAIN.replace(f"\n{GREETS}", ' [{text: "Olá!"}]\n')},
            "",
            f"utter_greet is not written in separate lines: {BY_SEGMENT}",
        ),
        ({"endpoints.yml": "action_endpoint:\n"}, "", None),  # the doctor says so
        (
            {"endpoints.yml": "{tracker_store: {}}\n"},
            "",
            "endpoints.yml: name the action server under `action_endpoint:`, or Rasa runs no act",
        ),
        ({"domain.yml": f"{DOMAIN}actions: [action_session_start]\n"}, "--calm", OWN_START),
        (
            {FRAGMENT: "slots: {}\n", "domain/a.yml": DOMAIN, "domain.yml": None},
            "",
            "domain/ps7/domain.yml is there and declares no ps7_status: mend it, or nothing runs",
        ),
        ({"domain.yml": f"{DOMAIN}slots: {{segment: {{type: text}}}}\n"}, "", None),
    ],
)
def test_what_it_leaves_to_a_person(
    init: Init, files: dict[str, str | None], arguments: str, expected: str | None
) -> None:
    """A sentence for each, unless the doctor has one. Everything else is done."""
    bot("file", files)
    _, out, _ = init(f"--yes {arguments}")
    assert_found(left_to_you(out), [expected] if expected else [])


def test_a_bot_that_merged_the_fragment_by_itself(init: Init) -> None:
    """Its file stays where it is; the rest is done."""
    before = bot("file", {"domain.yml": DOMAIN + SLOTS})
    code, out, _ = init()
    assert (code, "\n  rasa train && rasa run\n" in out) == (0, True)
    found = changes(before, tree())
    assert found.pop("domain.yml") == GREETING
    assert sorted(found) == [".env", "actions/__init__.py", "endpoints.yml"]


# -- other kinds of bots --------------------------------------------------------------------------

OWN_SLOTS = """slots:
  agencia: {type: text, mappings: [{type: from_text}]}
  phone_number: {type: text, mappings: [{type: from_text}]}
"""
BESIDE = {"phone_number": "customer_phone_number"}
PORTUGUESE = {
    "agency": "agencia_cliente",
    "segment": "segmento",
    "phone_number": "phone_number_cliente",
}


@pytest.mark.parametrize(
    ("arguments", "is_set", "names"),
    [
        ("", False, BESIDE),
        ("--pt --slots agency,segment", False, PORTUGUESE),
        ("--pt", True, {"segment": "faixa"}),
    ],
)
def test_the_names_of_slots(
    init: Init, arguments: str, is_set: bool, names: dict[str, str]
) -> None:
    """What the bot has stays the bot's. Names that are set already count, and no others."""
    env = f"PS7_SLOT_NAMES={json.dumps(names)}\n" if is_set else ""
    bot("file", {"domain.yml": DOMAIN + OWN_SLOTS, ".env": env})
    code, out, _ = init(f"--yes {arguments}")
    after = tree()
    assert [json.loads(said) for said in re.findall("SLOT_NAMES=(.*)", after[".env"])] == [names]
    declared = YAML(typ="safe").load(after[FRAGMENT])["slots"]
    greets_by = names.get("segment", "segment")
    assert greets_by in declared
    assert not {"agencia", "phone_number"} & declared.keys()
    assert f"          name: {greets_by}\n" in after[OWN]
    assert (code, "[slot-filled-elsewhere]" in out) == (int(is_set), is_set)


@pytest.mark.parametrize(
    ("name", "files", "module"),
    [
        ("file", {}, "actions/ps7_session.py"),
        ("payee", {"actions.py": "import rasa_ps7\n"}, "actions.py"),
    ],
)
def test_a_look_up_at_the_sessions_start(
    init: Init, name: str, files: dict[str, str], module: str
) -> None:
    """The class is where the action server loads it, and it is said what rules need."""
    bot(name, files)
    code, out, _ = init("--yes --at-session-start")
    names = {"cpf": "customer_cpf"} if name == "payee" else {}
    after = tree()
    assert after[FRAGMENT] == fragment(OSS, at_session_start=True, names=names)
    (said,) = left_to_you(out)
    assert code == 0
    assert said.startswith("let each rule or flow that needs the customer call action_ps7_context")
    assert after[module].endswith(
        """from rasa_ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    \"""Knows the customer before the first turn.\"""
"""
    )
    assert init("")[1].startswith(NOTHING)


@pytest.mark.parametrize(
    ("file", "module"), [("actions.py", "actions.py"), ("actions/own.py", "actions/__init__.py")]
)
def test_a_comment_that_names_the_plugin_is_no_import(file: str, module: str) -> None:
    """The doctor reads code in the same way, and has nothing to say afterwards."""
    bot("file", {file: "# rasa_ps7 comes here\n"})
    assert main(["init", "--yes"]) == 0
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
SIMULATE, CHAT = "PYTHON -m actions.ps7 simulate --port 8099", "PYTHON -m actions.ps7 chat --as ana"
READS_FOLDER = "# each command of Rasa that reads the domain takes `--domain domain` now"
TRAIN = "rasa train --domain domain && rasa run"
ENDPOINTS = "config/endpoints.yml"
FAR = {
    "config.yml": None,
    "config/config.yml": BOTS["file"]["config.yml"],
    ENDPOINTS: "action_endpoint: {url: 'http://actions:5056/webhook'}\n",
    ".env": "PS7_BASE_URL=https://cec.example.com\n",
    "domain.yml": DOMAIN + SLOTS,
    "rasa-ps7": "",  # where pip puts it: beside the interpreter
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, [SIMULATE, "PYTHON -m rasa_sdk --actions actions", TRAIN, CHAT, READS_FOLDER]),
        (
            FAR,
            [
                "PYTHON -m rasa_sdk --actions actions --port 5056",
                f"rasa train --config config/config.yml && rasa run --endpoints {ENDPOINTS}",
                "rasa-ps7 chat",
            ],
        ),
        (
            {"endpoints.yml": MODULE, "actions/own.py": "class A(PS7SessionStart): ...\n"},
            [SIMULATE, f"{TRAIN}, from where the plugin is", CHAT, READS_FOLDER],
        ),
    ],
)
def test_what_comes_next_fits_the_bot(
    given: pytest.MonkeyPatch, init: Init, files: dict[str, str | None], expected: list[str]
) -> None:
    """The interpreter in use, the bot's port and files; the simulator only if PS7 is none."""
    given.setattr("sys.executable", str(Path("PYTHON").absolute()))
    bot("file", files)
    _, out, _ = init("--yes --at-session-start")
    shown = out.partition("Next, each line in its own terminal\n")[2]
    assert [line.strip() for line in shown.splitlines()] == expected


def test_what_builds_the_bot_is_looked_at_in_all_of_its_repository(
    given: pytest.MonkeyPatch, init: Init
) -> None:
    """By the names of such files; what is installed or hidden is not."""
    says = "rasa train\ncp bot/domain.yml x\nrasa train --domain domain\n"
    there = ("Makefile", ".github/workflows/ci.yml", "bot/up.sh", "docker/app.Dockerfile")
    names = (*there, "README.md", "node_modules/a/Makefile", ".venv/Makefile", ".github/x.yml")
    lay_out(Path(), dict.fromkeys(names, says))
    lay_out(Path("bot"), BOTS["file"])
    subprocess.run(["git", "init", "-q"], check=True)
    given.chdir("bot")
    _, out, _ = init()
    (said,) = left_to_you(out)
    found = [f"../{place}:{line}" for place in there for line in (1, 2)]
    assert said.endswith(f"; see to {', '.join(found).replace('../bot/', '')}")
