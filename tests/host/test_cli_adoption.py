"""`rasa-ps7 init` and `doctor` in bots as others write them: what they name, and leave."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.support.command import Cli
from tests.support.doctor import assert_found, wrong_in
from tests.support.init_bots import (
    BOTS,
    DOMAIN,
    TAKEN,
    lay_out,
    lay_out_bot,
    left_to_you,
    shell,
)
from tests.support.pages import serving

BOT = BOTS["file"]
INIT, STRICT = "init --yes", "doctor --bot . --only-bot --strict"
ACTIONS = "actions: [action_balance, action_card, utter_greet, validate_pix_form]\n"
CODE = 'NAMES = \'action_balance\', "action_card", "validate_pix_form"\n'


# -- actions ---------------------------------------------------------------------------------------


def test_actions_that_are_elsewhere_are_found_and_nothing_is_invented(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """The next command is named; it puts the plugin, and the settings, where the actions start."""
    shell("git init -q")
    lay_out(Path("bot"), {**BOT, "domain.yml": DOMAIN + ACTIONS})
    code = {"actions/__init__.py": "", "actions/bank/own.py": CODE, "other/x.py": "'action_card'"}
    lay_out(Path("services"), code)
    isolated.chdir("bot")
    before, there = sorted(Path("..").rglob("*")), "../services/actions"
    said = (
        f"the domain's actions (action_balance, action_card and validate_pix_form …) are in {there}"
        f", not here: nothing was changed. `init --actions {there}` puts the plugin there\n"
    )
    assert cli(INIT) == (1, "", said)
    assert sorted(Path("..").rglob("*")) == before
    out = cli(f"{INIT} --actions {there}").done()
    assert "actions-missing" not in out
    assert Path("../services/actions/__init__.py").read_text() == "import rasa_ps7\n"
    assert "PS7_SEAL_KEYS" in Path("../services/.env").read_text()
    assert not Path("actions").exists()
    assert not Path(".env").exists()
    assert f"cd ../services && {sys.executable} -m rasa_sdk --actions actions" in out
    assert cli(f"init --actions {there}").out.startswith("Nothing to change")
    assert cli(f"{STRICT} --actions {there}").code == 0


@pytest.mark.parametrize(
    ("place", "files"),
    [
        ("src/own", ["src/own/__init__.py", "src/own/a/__init__.py", "src/own/a/x.py"]),
        ("scripts/x.py", ["scripts/x.py"]),
    ],
)
def test_a_package_of_another_name_is_found_as_a_whole(
    cli: Cli, place: str, files: list[str]
) -> None:
    """A module that is in none is named by itself."""
    lay_out_bot({"domain.yml": DOMAIN + ACTIONS, **dict.fromkeys(files, CODE)})
    assert f"`init --actions {place}` puts the plugin there" in cli(INIT).err
    assert cli(f"{INIT} --actions {place}").code == 0


def test_the_doctor_names_actions_that_the_server_lacks(cli: Cli) -> None:
    """As where it was started with another package: each form would end in silence."""
    ours = [{"name": f"action_ps7_{name}"} for name in ("context", "verify", "forget")]
    pages = {"/health": {"status": "ok"}, "/actions": [*ours, {"name": "action_card"}]}
    with serving(lambda asked, _: pages.get(asked)) as url:
        endpoint = f"action_endpoint: {{url: '{url}/webhook'}}\n"
        lay_out_bot({"domain.yml": DOMAIN + ACTIONS, "endpoints.yml": endpoint})
        found = wrong_in(cli("doctor --bot . --json").out)
        lay_out(Path(), {"data/rules.yml": "rules: [{rule: r, steps: [{action: action_idle}]}]\n"})
        idle = wrong_in(cli("doctor --bot . --json").out)
        lay_out(Path(), {"actions/own.py": "FollowupAction('action_balance')"})
        by_code = wrong_in(cli("doctor --bot . --json").out)
    lacks = f"the action server at {url} runs without"
    both = f"{lacks} action_balance and validate_pix_form, which the domain lists"
    asked = f"error action-server-actions: {lacks} validate_pix_form, which the domain lists"
    never = f"warning action-server-actions: {lacks} action_balance, which the domain lists and no"
    assert f"error action-server-actions: {both}" in found
    assert_found([each for each in idle if "action-server-" in each], [asked, never])
    assert f"error action-server-actions: {both}" in by_code


def test_init_names_the_lines_for_actions_in_a_container(cli: Cli) -> None:
    """The lines to add; no local command starts what runs elsewhere."""
    files = {
        "domain.yml": DOMAIN + ACTIONS,
        "actions/own.py": CODE,
        "actions/Dockerfile": "FROM rasa/rasa-sdk:3.6.2\nCOPY actions /app/actions\n",
        "docker-compose.yml": "services:\n  actions: {build: actions}\n  rasa: {image: x}\n",
        "endpoints.yml": "action_endpoint: {url: 'http://actions:5055/webhook'}\n",
    }
    lay_out_bot(files)
    out = cli(INIT).out
    image, server = left_to_you(out)
    assert image.startswith("the image of actions/Dockerfile:1 and actions/Dockerfile:2 needs the")
    assert "`COPY rasa_ps7-*.whl /tmp/` and `RUN pip install /tmp/rasa_ps7-*.whl`" in image
    assert server.startswith("the action server is http://actions:5055: give it the PS7_ variables")
    assert "(in docker-compose.yml, by `env_file:`)" in server
    following = out.partition("Next, ")[2]
    assert "# the action server is http://actions:5055: build and start it again" in following
    assert "simulate" not in following
    assert "-m rasa_sdk" not in following


# -- settings --------------------------------------------------------------------------------------

READS = {"actions/__init__.py": "from dotenv import load_dotenv\n"}


@pytest.mark.parametrize(
    ("there", "code", "repository", "written"),
    [
        (".env", READS, "git init -q", "../../.env"),
        (".env", {}, "git init -q", ".env"),
        ("a/.env", READS, "git init -q a/bot", ".env"),
        ("x", READS, "true", ".env"),
        (".env", READS, "true", ".env"),  # two folders above, and nobody knows whose
        ("a/.env", READS, "true", "../.env"),
    ],
)
def test_a_env_above_is_not_hidden_from_the_bots_code(  # noqa: PLR0917 - fixtures
    cli: Cli,
    isolated: pytest.MonkeyPatch,
    there: str,
    code: dict[str, str],
    repository: str,
    written: str,
) -> None:
    """`load_dotenv()` takes the first one that it finds above: what is there stays found.

    One above the repository belongs to somebody else.
    """
    lay_out(Path(), {there: "BACKEND=http://127.0.0.1:1\n"})
    lay_out(Path("a/bot"), BOT | code)
    shell(repository)
    isolated.chdir("a/bot")
    left = left_to_you(cli(INIT).out)
    assert "PS7_SEAL_KEYS" in Path(written).read_text()
    assert Path(".env").exists() is (written == ".env")
    said = f"the settings are in {written}, which your actions read by themselves, since a .env her"
    assert_found(left, [] if written == ".env" else [said])
    assert cli("init").out.startswith("Nothing to change")


def test_init_says_to_set_renamed_slots_elsewhere_too(cli: Cli) -> None:
    """They are set for this one, named for the others, and a clone without them is told."""
    lay_out_bot({})
    (said,) = left_to_you(cli(f"{INIT} --pt").out)
    assert said.startswith("PS7_SLOT_NAMES is in .env alone, which git leaves out: set it too for")
    assert said.endswith("the head of domain/ps7/domain.yml has it")
    assert cli(STRICT).code == 0
    Path(".env").unlink()
    (found,) = wrong_in(cli("doctor --bot . --only-bot --json").out)
    assert found.startswith("error slot-names: domain/ps7/domain.yml declares agencia, conta, cpf_")


def test_a_shell_reads_the_env_that_init_writes(cli: Cli) -> None:
    """As python-dotenv does: what is JSON is in quotes."""
    lay_out_bot({})
    cli(f"{INIT} --pt")
    shell('. ./.env; printf \'%s\\n\' "$PS7_SEAL_KEYS" "$PS7_SLOT_NAMES" > said')
    keys, names = Path("said").read_text().splitlines()
    env = dotenv_values(".env")
    assert (keys, names) == (env["PS7_SEAL_KEYS"], env["PS7_SLOT_NAMES"])
    assert len(json.loads(keys)) == 1


@pytest.mark.parametrize("line", ["include .env\nexport\n", "x:\n\tdocker run --env-file .env x\n"])
def test_what_keeps_quotes_gets_none(cli: Cli, line: str) -> None:
    """Make, and `docker run`."""
    lay_out_bot({"Makefile": line})
    cli(f"{INIT} --pt")
    assert re.findall(r"PS7_S\w+=(.)", Path(".env").read_text()) == ["[", "{"]


def test_the_environment_in_the_folder_is_kept_out_of_git(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """The one from which the command runs, as the README makes it."""
    shell("git init -q")
    lay_out_bot({".venv-actions/pyvenv.cfg": ""})
    isolated.setattr("sys.prefix", str(Path(".venv-actions").resolve()))
    cli(INIT)
    assert Path(".gitignore").read_text() == ".env\n.venv-actions/\n"


# -- slots -----------------------------------------------------------------------------------------


def test_the_doctor_names_a_slot_that_two_files_fill(cli: Cli) -> None:
    """One of the two is not had, whichever Rasa reads first; and whose they are is said."""
    more = "slots: {other: {type: text, mappings: [{type: %s}]}}\n"
    lay_out(Path(), {**BOT, "domain/a.yml": DOMAIN, "domain/b.yml": more % "from_text"})
    lay_out(Path("domain"), {"c.yml": more % "custom"})
    Path("domain.yml").unlink()
    (own,) = wrong_in((cli(INIT), cli("doctor --bot . --only-bot --json"))[1].out)
    said = "domain/b.yml and domain/c.yml declare slot other, filled in other ways: Rasa takes one"
    assert own.startswith(f"warning slot-twice: {said} of them, and both are the bot's")
    shell("rm -r domain .env")
    lay_out_bot({})
    cli(INIT)
    lay_out(Path("domain"), {"a.yml": TAKEN})
    (own, twice) = wrong_in(cli("doctor --bot . --only-bot --json").out)
    assert own.startswith("error slot-filled-elsewhere: slot cpf is filled by from_text")
    files = "domain/a.yml and domain/ps7/domain.yml"
    said = f"{files} declare slot cpf, filled in other ways: one is the plugin's"
    assert twice.startswith(f"error slot-twice: {said}")


# -- dialogue --------------------------------------------------------------------------------------

OWN_START = 'class Start:\n    def name(self):\n        return "action_session_start"\n'


def test_a_bot_that_greets_as_a_session_starts_is_told(cli: Cli) -> None:
    """By `init`, with the place, and by the doctor, until it is derived from the plugin's class."""
    lay_out_bot({"actions/start.py": OWN_START})
    out = cli(INIT).done()
    assert "[session-start-early]" in out
    said = "your action_session_start (actions/start.py:3) runs before the lookup: if it greets,"
    assert_found(left_to_you(out), [said])
    Path("actions/start.py").write_text(OWN_START.replace("Start:", "Start(PS7SessionStart):"))
    assert cli(STRICT).code == 0


# -- places ----------------------------------------------------------------------------------------


def test_init_takes_each_file_from_where_it_is_named(cli: Cli) -> None:
    """They are named, and the commands that come next name them too."""
    files = {
        "domains/bp.yml": DOMAIN,
        "domains/other.yml": "intents: [x]\n",
        "config/bp.yml": BOT["config.yml"],
        "endpoints/bp.yml": "tracker_store: {type: InMemory}\n",
    }
    lay_out(Path(), files)
    config, endpoints = "--config config/bp.yml", "--endpoints endpoints/bp.yml"
    out = cli(f"{INIT} --domain domains/bp.yml {config} {endpoints}").done()
    assert "assistente do Personnalité" in Path("domains/bp/bot.yml").read_text()
    assert Path("domains/bp/ps7/domain.yml").exists()
    assert "action_endpoint" in Path("endpoints/bp.yml").read_text()
    run = f"rasa run --enable-api -i 127.0.0.1 {endpoints}"
    assert f"rasa train --domain domains/bp {config} && {run}\n" in out
    again = cli(f"init --domain domains/bp {config} {endpoints}")
    assert again.out.startswith("Nothing to change")
    absent = "nowhere.yml does not exist: nothing was changed\n"
    assert cli("init --domain nowhere.yml") == (1, "", absent)
