"""`rasa-ps7 init`: what it changes in two bots, what it leaves alone, and how it ends."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from actions.ps7.cli.command import main
from actions.ps7.cli.domain import CALM, OSS, fragment
from tests.support.command import Cli, Terminal
from tests.support.doctor import assert_found
from tests.support.init_bots import (
    BOTS,
    DOMAIN,
    TAKEN,
    lay_out,
    lay_out_bot,
    left_to_you,
    shell,
    tree,
)

FRAGMENT, OWN = "domain/ps7/domain.yml", "domain/bot.yml"
UNCHANGED = ": nothing was changed"
NOTHING = "Nothing to change: the plugin is in this bot.\n"
GREETING = """\
    - text: "Olá! Sou a assistente do Personnalité."
      condition:
        - type: slot
          name: segment
          value: Personnalité
"""
IMPORT = "import rasa_ps7\n"
KEY = """\
# PS7: encrypts what it said of a customer. Keep it secret: commit it nowhere.
PS7_SEAL_KEYS=…
"""
SIMULATOR = """\
# PS7: here the simulator, which `rasa-ps7 simulate --port 8099` starts.
PS7_BASE_URL=http://127.0.0.1:8099
PS7_USERNAME=simulator
PS7_PASSWORD=simulator
"""
RENAMES = """\
# PS7: what this bot calls slots of the plugin.
PS7_SLOT_NAMES='{"cpf": "customer_cpf"}'
"""
UNMAPPED = (
    "slots without usable `mappings:` (a): Rasa 3 does not train; in Rasa 1 and 2 they had none: "
    "nothing was changed. Give each `mappings:` by hand: `- {type: from_entity, entity: NAME}` if "
    "an entity of its name fills it, as Rasa 2 did by itself, else `- {type: custom}`. Write "
    '`version: "3.1"`, train, and test.'
)
OF_RASA_1 = (
    "data/nlu.md: training data of Rasa 1, which Rasa 3 does not read, and there is no other: "
    "nothing was changed. Convert it: `rasa data convert` of Rasa 2.8 writes YAML."
)
ADDED = {
    "file": {
        OWN: GREETING,
        "actions/__init__.py": IMPORT,
        "endpoints.yml": 'action_endpoint:\n  url: "http://localhost:5055/webhook"\n',
        ".env": SIMULATOR + KEY,
        ".gitignore": ".env\n",
    },
    "folder": {
        "domain/texts/b.yml": GREETING,
        "actions.py": IMPORT,
        ".env": KEY + RENAMES,
        ".gitignore": ".env\n",
    },
}
"""What each bot's files have more, beside the fragment."""


def added(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Return the lines that each file has more; none is lost. A file that moved is where it is."""
    before = {OWN if name == "domain.yml" else name: text for name, text in before.items()}
    assert before.keys() <= after.keys()
    found = {}
    for name in after:
        lines = difflib.ndiff(before.get(name, "").splitlines(), after[name].splitlines())
        changed = [line for line in lines if not line.startswith("  ")]
        assert all(line.startswith("+ ") for line in changed)
        found[name] = "".join(f"{line[2:]}\n" for line in changed)
    return {name: text for name, text in found.items() if text}


@pytest.mark.parametrize("name", BOTS)
def test_init_puts_lines_in_once_and_moves_nothing_else(name: str, cli: Cli) -> None:
    """Lines are put in and nothing else moves; the doctor is content, also where it is strict."""
    before = lay_out_bot({}, name)
    assert "; there is no credentials.yml\n" in cli("init --yes").done()
    after = tree()
    names = {"cpf": "customer_cpf"} if name == "folder" else {}
    assert after.pop(FRAGMENT) == fragment(OSS, names=names)
    assert added(before, after) == ADDED[name]
    assert all(len(set(re.findall("\r?\n", text))) < 2 for text in after.values())
    whole = tree()
    out = cli("init").done()
    assert out.startswith(NOTHING)
    assert "Left to you" not in out
    assert tree() == whole


def test_it_shows_what_it_would_do(cli: Cli) -> None:
    """Into a pipe it asks nobody and does nothing; no secret is shown, old or new."""
    files = {"endpoints.yml": "tracker_store: {password: planted}", ".env": "PS7_PASSWORD=planted"}
    before = lay_out_bot(files)
    code, out, err = cli("init")
    assert (code, err) == (1, "nothing was changed: --yes makes these changes\n")
    assert re.sub(r"\d+ lines", "N lines", out).startswith(
        """\
Changes
  new      .gitignore
  changed  .env (0600: only for its owner)
  new      actions/__init__.py
  changed  endpoints.yml
  moved    domain.yml -> domain/bot.yml
  new      domain/ps7/domain.yml (the plugin's slots and actions, N lines)
There is no git here, so no way back: `git init`, and commit, before.

--- /dev/null
+++ .gitignore
@@ -0,0 +1 @@
+.env

--- .env
+++ .env
@@ -1,0 +2,2 @@
+# PS7: encrypts what it said of a customer. Keep it secret: commit it nowhere.
+PS7_SEAL_KEYS=(a new key)
"""
    )
    assert "planted" not in out
    assert '["' not in out
    assert cli("init --dry-run") == (0, out, "")
    assert tree() == before


@pytest.mark.parametrize(
    ("answer", "done"), [("y\n", True), ("Sim\n", True), ("\n", False), ("", False)]
)
def test_it_asks_at_a_terminal(isolated: pytest.MonkeyPatch, answer: str, done: bool) -> None:
    """And takes no answer for a no."""
    before = lay_out_bot({})
    isolated.setenv("TERM", "xterm")
    isolated.delenv("NO_COLOR", raising=False)
    isolated.setattr("sys.stdin", Terminal(answer))
    isolated.setattr("sys.stdout", out := Terminal())
    isolated.setattr("sys.stderr", err := Terminal())
    assert main(["init"]) == (0 if done else 1)
    assert "Make these changes? [y/N] " in out.getvalue()
    assert "31m--- /dev/null\x1b[0m" in out.getvalue()
    assert "\x1b[2m@@ -0,0 +1 @@\x1b[0m\n\x1b[32m+import rasa_ps7\x1b[0m\n" in out.getvalue()
    assert (tree() != before) is done
    assert err.getvalue() == ("" if done else "nothing was changed\n")


LINK = (
    "{} is a link: nothing was changed. Name what it leads to ({}) by --domain, --actions or the "
    "like, or go by hand: docs/integration.md#by-hand"
)
NO_BOT = "there is no domain.yml here and no folder domain: this is no bot"
REST = "--domain names a domain of another name, --config and --endpoints the rest"
UNREAD = (
    "config.yml is not UTF-8: nothing was changed\nendpoints.yml cannot be read as YAML (line 2)"
)
BESIDE = "domain.yml and domain lie side by side: nothing was changed. Put all in the folder"


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        ("rm domain.yml", f"{NO_BOT}. {REST}"),
        (
            "mkdir -p a/b; cp domain.yml a/b; mv domain.yml a",
            f"{NO_BOT}. There is one in a and a/b: run the command there",
        ),
        ("echo 'slots: {a: {type: text}}' >> domain.yml", UNMAPPED),
        ("mkdir data; echo '## intent:a' > data/nlu.md", OF_RASA_1),
        ("mkdir domain; echo 'intents: []' > domain/b.yml", BESIDE),
        (r"echo 'a: [' > endpoints.yml; printf '\377' > config.yml", UNREAD + UNCHANGED),
        ("mkdir .gitignore", f".gitignore cannot be read: Is a directory{UNCHANGED}"),
        ("mkdir -p domain/bot.yml", f"domain/bot.yml is there already{UNCHANGED}"),
        ("touch actions", f"actions/__init__.py cannot be read: Not a directory{UNCHANGED}"),
        ("mkdir x; ln -s x actions", LINK.format("actions", "x")),
        ("mv domain.yml x.yml; ln -s x.yml domain.yml", LINK.format("domain.yml", "x.yml")),
    ],
)
def test_init_refuses_what_it_cannot_write_whole(cli: Cli, spoil: str, complaint: str) -> None:
    """A file that it cannot read or write as a whole: one line names it, and nothing is written."""
    lay_out_bot({})
    shell(spoil)
    before = tree()
    assert cli("init --yes") == (1, "", f"{complaint}\n")
    assert tree() == before


@pytest.mark.parametrize("read_only", [".", "endpoints.yml"])
def test_init_refuses_what_it_may_not_write(
    isolated: pytest.MonkeyPatch, cli: Cli, read_only: str
) -> None:
    """It asks the system, whoever runs this test."""
    before = lay_out_bot({"endpoints.yml": ""})
    isolated.setattr("os.access", lambda path, _: path != Path(read_only))
    assert cli("init --yes") == (1, "", f"{read_only} is read-only{UNCHANGED}\n")
    assert tree() == before


# -- the way back ---------------------------------------------------------------------------------

COMMITS = "git init -q; git add -A; git -c user.name=a -c user.email=a@example.com commit -qm a"
LATER = f"{COMMITS}; echo '# later' >> domain.yml"
STAGED = "git init -q; git add domain.yml"
LOSES = "Git does not have {} as it is, so no way back: commit before."
OWN_ENV = {".env": "OWN=1\n", ".gitignore": ".env\n", "actions/__init__.py": "# mine\n"}


@pytest.mark.parametrize("files", [{}, OWN_ENV, {"endpoints.yml": "# none\r\n"}])
def test_all_of_it_is_taken_back_and_git_never_finds_a_key(cli: Cli, files: dict[str, str]) -> None:
    """By the commands that it gives, one after the other; then it can be done again."""
    before = lay_out_bot(files)
    shell(COMMITS)
    out = cli("init --yes").out
    assert "no way back" not in out
    whole = tree()
    for line in out.partition("To take all of it back, in this order\n")[2].splitlines():
        shell(line)
        shell("git add -A --dry-run > ../added")
        assert ".env" not in Path("../added").read_text()
    assert tree() == before
    cli("init --yes")
    assert tree() == whole


@pytest.mark.parametrize(
    ("git", "said"),
    [
        (COMMITS, ""),
        (f"{COMMITS}; sed -i 's/$/\\r/' domain.yml", ""),
        ("true", "There is no git here, so no way back: `git init`, and commit, before."),
        ("git init -q", LOSES.format("endpoints.yml and domain.yml")),
        (STAGED, LOSES.format("endpoints.yml and domain.yml")),
        (LATER, LOSES.format("domain.yml")),
        (f"{LATER}; git add -A", LOSES.format("domain.yml")),
        ("git init -q; rm .git/HEAD", LOSES.format("endpoints.yml and domain.yml")),
    ],
)
def test_what_cannot_be_taken_back_is_said_before(cli: Cli, git: str, said: str) -> None:
    """In one sentence. No command is given then: it would lose what git does not have."""
    lay_out_bot({"endpoints.yml": "a: 1\n"})
    shell(git)
    assert [line for line in cli("init --dry-run").out.splitlines() if "way back" in line] == [
        *([said] if said else [])
    ]
    assert ("To take all of it back" in cli("init --yes").out) is (not said)


# -- what is left to a person ---------------------------------------------------------------------

DOM, ENDPOINTS = "domain.yml", "endpoints.yml"
GREETS = '    - text: "Olá!"\n'
CONDITIONED = DOMAIN.replace(GREETS, f"{GREETS}      condition: [{{type: slot}}]\n")
IN_ONE_LINE = DOMAIN.replace(f" # what everybody hears\n{GREETS}", ' [{text: "Olá!"}]\n')
NO_GREETING = "intents: [greet]\n"
OWN_START = 'class Start:\n    def name(self):\n        return "action_session_start"\n'
NAMES_IN_ENV = (
    "PS7_SLOT_NAMES is in .env alone, which git leaves out: set it too for others, in CI and in "
    "production. It is no secret, and the head of domain/ps7/domain.yml has it"
)
DERIVE = (
    "derive your action_session_start (not found) from PS7SessionStart, as docs/integration.md "
    "shows: until then the first message finds no customer"
)
STARTS = f"{DOMAIN}actions: [action_session_start]\n"
APART = {FRAGMENT: "slots: {}\n", "domain/a.yml": DOMAIN, "domain.yml": None}
TED = "TED learns from stories, and may answer otherwise outside them"
STORY = "stories: [{story: s, steps: [{intent: greet}, {action: utter_greet}]}]\n"
NO_IMPORT = "import __main__\nimport nowhere\nfrom also import x\ntry: import maybe\nexcept: ...\n"
IMAGES = {
    "Dockerfile": "FROM rasa/rasa:2.8.1-full\nCOPY . /app\n",
    "app/Dockerfile": "FROM rasa/rasa:3.6.2\nCMD rasa run actions\n",
    "docker-compose.yml": "a:\n image: rasa/rasa-sdk:3.6.2\n volumes: [./actions:/app/actions]\n"
    "b:\n  image: 'eu.example.com/rasa/rasa-sdk'\nc: {image: rasa/rasa:3.6.2}\n",
    "old/compose.yaml": "a: {image: rasa/rasa-full:1.10.2}\n",
    "requirements.txt": "rasa~=2.8\nrasa==3.6.21\n",
}
BEHIND = {
    "helpers.py": "import far\nimport helpers\nimport actions\n",
    "more/x.py": "import behind\n",
    "train.py": "import not_of_the_actions\n",
}
"""Modules beside the actions, two of which they import."""
SDK = version("rasa-sdk")
PATCHED = f"{SDK.rpartition('.')[0]}.99"
PINS = {
    "requirements.txt": "rasa-sdk==3.1.1\n",
    "actions/requirements.txt": "a\nrasa_sdk~=3.6\n",
    "same/requirements.txt": f"rasa-sdk=={SDK}\nrasa-sdk==3.9.1\nrasa-sdk=={PATCHED}\n"
    "rasa-sdk==3.6.2\n",
}


def says(action: str) -> dict[str, str]:
    return {"data/rules.yml": f"rules: [{{rule: r, steps: [{{action: {action}}}]}}]\n"}


GREETS_IN_DATA: dict[str, str | None] = {
    DOM: NO_GREETING,
    "data/faq.yml": "nlu: [{intent: greet}]\nresponses:\n  utter_greet:\n    - text: Olá!\n",
    **says("utter_greet"),
}


def learns(policies: str) -> dict[str, str]:
    return {"config.yml": f"policies:{policies}\n", "data/stories.yml": STORY}


LEFT: dict[str, tuple[Mapping[str, str | None], str, list[str]]] = {
    "a response to greet by": (
        {},
        "--greet utter_oi",
        ["there is no response utter_oi to greet by segment: --greet names it"],
    ),
    "a slot to greet by": ({}, "--slots cpf_masked", ["slot segment is not declared, so nothing"]),
    "a greeting with conditions": ({DOM: CONDITIONED}, "", ["utter_greet has conditions already"]),
    "a greeting in one line": ({DOM: IN_ONE_LINE}, "", ["utter_greet is not written in separate"]),
    "a greeting that nothing says": (
        says("utter_bye"),
        "",
        ["no rule, story or action says utter_greet, so nobody hears its greeting"],
    ),
    "one in the training data": (GREETS_IN_DATA, "", []),
    "none, if a rule says it": (says("utter_greet"), "", []),
    "none, if code says it": ({"data/x.yml": "rules: []", "actions.py": "'utter_greet'"}, "", []),
    "no endpoint, if it is empty": ({ENDPOINTS: "action_endpoint:\n"}, "", []),
    "an image with the SDK, or an old Rasa": (
        IMAGES,
        "",
        [
            "the image of app/Dockerfile:2, docker-compose.yml:2 and docker-compose.yml:5 needs",
            "Dockerfile:1, old/compose.yaml:1 and requirements.txt:1 takes a Rasa before 3, which",
        ],
    ),
    "an action server": ({ENDPOINTS: "{a: {}}\n"}, "", ["endpoints.yml: name the action server"]),
    "a session start": ({DOM: STARTS}, "--calm", [DERIVE]),
    "a session start that greets": (
        {"actions/start.py": OWN_START},
        "",
        ["your action_session_start (actions/start.py:3) runs before the lookup: if it greets,"],
    ),
    "names that git leaves out": ({}, "--pt", [NAMES_IN_ENV]),
    "a fragment": (APART, "", ["domain/ps7/domain.yml is there and declares no ps7_status"]),
    "stories that TED learned": (learns(" [{name: TEDPolicy}]"), "", [TED]),
    "stories, by Rasa's own policies": (learns(""), "", [TED]),
    "none, without TED": (learns(" [{name: RulePolicy}]"), "", []),
    "what the actions import, and pins": (
        {"actions/own.py": f"{NO_IMPORT}from helpers import x\nimport more\n", **PINS, **BEHIND},
        "",
        [
            "actions imports also, behind, far and nowhere, which this environment",
            "add rasa-ps7 to requirements.txt:1, actions/requirements.txt:2, same/requirements.txt",
            f"the bot pins rasa-sdk 3.1.1, and this environment has {SDK}: the plugin needs 3.6.2",
            f"the bot pins rasa-sdk 3.6.2, and this environment has {SDK}: install rasa-sdk==3.6.2",
            f"the bot pins rasa-sdk 3.9.1, and this environment has {SDK}: install rasa-sdk==3.9.1",
        ],
    ),
    "actions that are nowhere": (
        {DOM: f"{DOMAIN}actions: [action_balance, action_card, action_pay, action_wire]\n"},
        "--calm",
        [
            "derive a session start from PS7SessionStart beside your actions",
            "let what runs action_balance, action_card and action_pay load the plugin with",
        ],
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_it_leaves_to_a_person_what_it_cannot_do(cli: Cli, name: str) -> None:
    """A sentence for each, unless the doctor has one. Everything else is done."""
    files, arguments, expected = LEFT[name]
    lay_out_bot(files)
    assert_found(left_to_you(cli(f"init --yes {arguments}").out), expected)
    unheard = any("utter_greet, so nobody hears" in each for each in expected)
    assert not unheard or tree()[OWN] == DOMAIN, "a greeting that nobody hears was changed"
    assert Path("actions").exists() or "actions.py" in files or "nowhere" in name


def test_what_rasa_3_takes_all_the_same_is_no_hindrance(cli: Cli) -> None:
    """A header of Rasa 2 alone, and a file of Rasa 1 that nothing needs any more."""
    data = {"data/nlu.md": "## intent:greet\n- hi\n", "data/nlu.yml": "nlu: []\n"}
    lay_out_bot({DOM: DOMAIN.replace("3.1", "2.0"), **data})
    code, out, _ = cli("init --yes")
    assert (code, re.findall(r"\[([a-z0-9-]+)\]\n", out)) == (0, ["rasa-3"])


def test_a_slot_without_mappings_is_none_of_rasa_pros_faults(cli: Cli) -> None:
    """A model fills it there; a bot before its first flow is one by its word."""
    lay_out_bot({DOM: f"{DOMAIN}slots: {{amount: {{type: text}}}}\n"})
    assert cli("init --yes --calm")[::2] == (0, "")


# -- other kinds of bots --------------------------------------------------------------------------

OWN_SLOTS = """slots:
  agencia: {type: text, mappings: [{type: from_text}]}
  phone_number: {type: text, mappings: [{type: from_text}]}
"""
OF_AN_ACTION = "slots:\n  cpf: {type: text, mappings: [{type: custom}]}\n"
PORTUGUESE = {
    "agency": "agencia_cliente",
    "segment": "segmento",
    "phone_number": "phone_number_cliente",
}


@pytest.mark.parametrize(
    ("slots", "arguments", "is_set", "names"),
    [
        (OWN_SLOTS, "--pt --slots agency,segment", False, PORTUGUESE),
        (OWN_SLOTS, "--pt", True, {"segment": "faixa"}),
        (TAKEN, "", False, {"cpf": "ps7_cpf_2"}),
        (OF_AN_ACTION, "", False, {"cpf": "customer_cpf"}),
    ],
)
def test_init_keeps_the_bots_slots_and_the_names_that_are_set(
    cli: Cli, slots: str, arguments: str, is_set: bool, names: dict[str, str]
) -> None:
    """What the bot has stays the bot's, whatever fills it, and no name is given twice.

    Names that are set already are valid, and no others.
    """
    env = f"PS7_SLOT_NAMES='{json.dumps(names)}'\n" if is_set else ""
    lay_out_bot({"domain.yml": DOMAIN + slots, ".env": env})
    code, out, _ = cli(f"init --yes {arguments}")
    after = tree()
    assert [json.loads(said) for said in re.findall("SLOT_NAMES='(.*)'", after[".env"])] == [names]
    declared = YAML(typ="safe").load(after[FRAGMENT])["slots"].keys()
    greets_by = names.get("segment", "segment")
    assert declared & {greets_by, "agencia", "phone_number"} == {greets_by}
    assert f"          name: {greets_by}\n" in after[OWN]
    assert code == int(is_set)
    assert re.findall(r"\[(slot-.+)\]\n", out) == ["slot-filled-elsewhere"] * is_set


SESSION_START = '''\
from rasa_ps7 import PS7SessionStart


class ActionSessionStart(PS7SessionStart):
    """Knows the customer before the first turn."""
'''
STARTED = {"actions/ps7_session.py": SESSION_START, "actions/__init__.py": IMPORT}
COPIED = {"actions/ps7/__init__.py": "PS7SessionStart"}
WITH_FLOWS = {"data/flows.yml": "flows: {pay: {steps: [{action: utter_greet}]}}\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, STARTED),
        ({"actions.py": IMPORT}, {"actions.py": f"{IMPORT}\n\n{SESSION_START}"}),
        (COPIED, {"actions/ps7_session.py": SESSION_START.replace("rasa_ps7", ".ps7")}),
        (WITH_FLOWS, STARTED),
    ],
)
def test_init_writes_the_session_start_of_a_bot(
    cli: Cli, files: dict[str, str], expected: dict[str, str]
) -> None:
    """The class is where the action server loads it, and it is said what rules need."""
    lay_out_bot(files)
    code, out, _ = cli("init --yes --at-session-start")
    after = tree()
    flavour = CALM if files == WITH_FLOWS else OSS
    assert after[FRAGMENT] == fragment(flavour, at_session_start=True)
    assert code == 0
    assert_found(
        left_to_you(out), ["let each rule or flow that needs the customer call action_ps7"]
    )
    named = ("actions", "data")
    theirs = {name: text for name, text in after.items() if name.startswith(named) and text}
    assert theirs == {**files, **expected}
    assert cli("init")[1].startswith(NOTHING)


PT, EN = "Olá! Sou a assistente do Personnalité.", "Hello! I am the assistant of Personnalité."
LANGUAGES = {
    "pt": ("Oi, em que posso ajudar?", "en", [], PT),
    "es": ("¡Hola! ¿En qué puedo ayudarle?", "en", [], "¡Hola! Soy la asistente de Personnalité."),
    "nl": ("Wat kan ik voor jou doen?", "en", [], "Hallo! Ik ben de assistent van Personnalité."),
    "en": ("How can I help you?", "pt", [], EN),
    "by its config": ("Tere!", "br", [], PT),
    "of none": ("Tere!", "et", [], EN),
    "as it is told": ("Olá!", "pt", ["--greeting", 'Tere, "{segment}"!'], r"Tere, \"{segment}\"!"),
}


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_bot_greets_in_its_own_language(cli: Cli, name: str) -> None:
    """By all that it says, then by what its config says; or as it is told."""
    text, language, told, greeting = LANGUAGES[name]
    config = BOTS["file"]["config.yml"].replace(": pt", f": {language}")
    lay_out_bot({DOM: DOMAIN.replace("Olá!", text), "config.yml": config})
    cli("init --yes", *told)
    assert f'- text: "{greeting}"\n' in Path(OWN).read_text()


def test_a_module_of_another_coding_is_kept_byte_for_byte(cli: Cli) -> None:
    """Python reads it, by its first line; what is put in is ASCII."""
    lay_out_bot({"actions/__init__.py": ""})
    module, before = Path("actions/__init__.py"), b"# coding: latin-1\nx = '\xe7'\n"
    module.write_bytes(before)
    assert cli("init --yes").code == 0
    assert module.read_bytes() == before + b"import rasa_ps7\n"


# -- how it goes on -------------------------------------------------------------------------------

FAR = {
    "config.yml": None,
    "config/config.yml": BOTS["file"]["config.yml"],
    "config/endpoints.yml": "action_endpoint: {actions_module: actions}\n",
    "actions/own.py": "class A(PS7SessionStart): ...\n",
    ".env": "PS7_BASE_URL=https://cec.example.com\n",
    "domain.yml": fragment(OSS),
    "rasa-ps7": "",  # where pip puts it: beside the interpreter
}
NEAR_NEXT = """\
  PYTHON -m actions.ps7 simulate --port 8099
  PYTHON -m rasa_sdk --actions actions
  rasa train --domain domain && rasa run --enable-api -i 127.0.0.1
  PYTHON -m actions.ps7 chat --as ana
  # each command of Rasa that reads the domain takes `--domain domain` now
"""
FAR_NEXT = """\
  rasa train --config config/config.yml && rasa run --endpoints config/endpoints.yml, from where \
the plugin is
  rasa-ps7 chat
"""


@pytest.mark.parametrize(("files", "expected"), [({}, NEAR_NEXT), (FAR, FAR_NEXT)])
def test_what_comes_next_fits_the_bot(
    isolated: pytest.MonkeyPatch, cli: Cli, files: dict[str, str | None], expected: str
) -> None:
    """The interpreter in use, the bot's port and files; the simulator only if PS7 is none."""
    isolated.setattr("sys.executable", str(Path("PYTHON").absolute()))
    lay_out_bot(files)
    _, out, _ = cli("init --yes --at-session-start")
    assert out.partition("Next, each line in its own terminal\n")[2] == expected


def test_what_builds_the_bot_is_looked_at_in_all_of_its_repository(
    isolated: pytest.MonkeyPatch, cli: Cli
) -> None:
    """And what names the moved file, whatever it is; what is installed or hidden is not."""
    lines = ["rasa train", "cp bot/domain.yml x", "rasa test -d domain.yml", "-d domain/domain.yml"]
    says = "\n".join([*lines, "rasa train --domain domain", "--domain my_domain.yml domain_yml"])
    there = ("Makefile", "bot/up.sh", "docker/app.Dockerfile", ".github/workflows/ci.yml")
    others = ("README.md", "bot/setup.cfg", "bot/train.py")
    hidden = ("node_modules/a/Makefile", ".venv/Makefile", ".github/x.yml", "bot/x.csv")
    lay_out(Path(), dict.fromkeys((*there, *others, *hidden), says))
    lay_out(Path("bot"), BOTS["file"])
    shell("git init -q")
    isolated.chdir("bot")
    _, out, _ = cli("init --yes")
    (said,) = left_to_you(out)
    found = [f"../{place}:{line}" for place in there for line in (1, 2, 3, 4)]
    found += [f"../{place}:{line}" for place in others for line in (2, 3, 4)]
    assert said.endswith(f"; see to {', '.join(found).replace('../bot/', '')}")
