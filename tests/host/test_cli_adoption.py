"""`rasa-ps7 init` and `doctor` in bots as others write them: what they name, and leave."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.support.command import Cli, Ended
from tests.support.doctor import assert_found, wrong_in
from tests.support.init_bots import BOTS, DOMAIN, TAKEN, lay_out, left_to_you, tree
from tests.support.pages import serving

BOT = BOTS["file"]
INIT, STRICT = "init --yes", "doctor --bot . --only-bot --strict"
ACTIONS = "actions: [action_balance, action_card, utter_greet, validate_pix_form]\n"
CODE = """\
from rasa_sdk import Action


class Balance(Action):
    def name(self):
        return "action_balance"


class Card(Action):
    def name(self):
        return 'action_card'


FORM = "validate_pix_form"
"""


def bot(files: Mapping[str, str | None]) -> None:
    """Lay out a bot with some files more, or left out (None)."""
    lay_out(Path(), {k: text for k, text in {**BOT, **files}.items() if text is not None})


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


# -- actions: A20, A21, A28 -----------------------------------------------------------------------


@pytest.fixture
def monorepo(isolated: pytest.MonkeyPatch) -> None:
    """Lay out a repository whose bot has its actions in a service beside it, and go to the bot."""
    git("init", "-q")
    lay_out(Path("bot"), {**BOT, "domain.yml": DOMAIN + ACTIONS})
    service = {
        "actions/__init__.py": "",
        "actions/bank/own.py": CODE,
        "other/x.py": "'action_card'",
    }
    lay_out(Path("services"), service)
    isolated.chdir("bot")


@pytest.mark.usefixtures("monorepo")
def test_actions_that_are_elsewhere_are_found_and_nothing_is_invented(cli: Cli) -> None:
    """The next command is named; it puts the plugin, and the settings, where the actions start."""
    before = sorted(map(str, Path("..").rglob("*")))
    code, _, err = cli(INIT)
    there = "../services/actions"
    assert err == (
        f"the domain's actions (action_balance, action_card and validate_pix_form …) are in {there}"
        f", not here: nothing was changed. `init --actions {there}` puts the plugin there\n"
    )
    assert code == 1
    assert sorted(map(str, Path("..").rglob("*"))) == before
    code, out, err = cli(f"{INIT} --actions ../services/actions")
    assert (code, err, "actions-missing" in out) == (0, "", False)
    assert Path("../services/actions/__init__.py").read_text() == "import rasa_ps7\n"
    assert "PS7_SEAL_KEYS" in Path("../services/.env").read_text()
    assert (Path("actions").exists(), Path(".env").exists()) == (False, False)
    start = f"cd ../services && {sys.executable} -m rasa_sdk --actions actions"
    assert start in out
    assert cli("init --actions ../services/actions").out.startswith("Nothing to change")
    assert cli(f"{STRICT} --actions ../services/actions").code == 0


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
    bot({"domain.yml": DOMAIN + ACTIONS, **dict.fromkeys(files, CODE)})
    assert f"`init --actions {place}` puts the plugin there" in cli(INIT).err
    assert cli(f"{INIT} --actions {place}").code == 0


def test_the_doctor_names_actions_that_the_server_lacks(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """As where it was started with another package: each form would end in silence."""
    ours = [{"name": f"action_ps7_{name}"} for name in ("context", "verify", "forget")]
    pages = {"/health": {"status": "ok"}, "/actions": [*ours, {"name": "action_card"}]}
    settings = {"BASE_URL": "https://cec..example.com", "USERNAME": "u", "PASSWORD": "p"}
    for name, value in settings.items():
        isolated.setenv(f"PS7_{name}", value)
    with serving(lambda asked, _: pages.get(asked)) as url:
        endpoint = f"action_endpoint: {{url: '{url}/webhook'}}\n"
        bot({"domain.yml": DOMAIN + ACTIONS, "actions.py": CODE, "endpoints.yml": endpoint})
        cli(INIT)
        found = wrong_in(cli("doctor --bot . --json").out)
    lacks = f"the action server at {url} runs without action_balance and validate_pix_form"
    assert f"error action-server-actions: {lacks}, which the domain lists" in found


@pytest.fixture
def nowhere(cli: Cli) -> Ended:
    """Put the plugin into a bot whose actions run in a container."""
    bot(
        {
            "domain.yml": DOMAIN + ACTIONS,
            "actions/own.py": CODE,
            "actions/Dockerfile": "FROM rasa/rasa-sdk:3.6.2\nCOPY actions /app/actions\n",
            "docker-compose.yml": "services:\n  actions: {build: actions}\n  rasa: {image: x}\n",
            "endpoints.yml": "action_endpoint: {url: 'http://actions:5055/webhook'}\n",
        }
    )
    return cli(INIT)


def test_init_names_the_lines_for_actions_in_a_container(nowhere: Ended) -> None:
    """The lines to add; no local command starts what runs elsewhere."""
    image, server = left_to_you(nowhere.out)
    assert image.startswith(
        "the image of actions/Dockerfile:1 and actions/Dockerfile:2 needs the pl"
    )
    assert "`COPY rasa_ps7-*.whl /tmp/` and `RUN pip install /tmp/rasa_ps7-*.whl`" in image
    assert server.startswith("the action server is http://actions:5055: give it the PS7_ variables")
    assert "(in docker-compose.yml, by `env_file:`)" in server
    following = nowhere.out.partition("Next, ")[2]
    assert "# the action server is http://actions:5055: build and start it again" in following
    assert ("simulate" in following, "-m rasa_sdk" in following) == (False, False)


# -- settings: A22, A23, A31 ----------------------------------------------------------------------


@pytest.mark.parametrize("made", [["git", "init", "-q"], ["true"]])
def test_a_env_above_belongs_to_somebody_else_outside_the_repository(
    cli: Cli, isolated: pytest.MonkeyPatch, made: list[str]
) -> None:
    """And where there is none above, the settings go beside the bot."""
    lay_out(Path(), {"a/.env" if made[0] == "git" else "x": "OTHER=1\n"})
    lay_out(Path("a/bot"), {**BOT, "actions/__init__.py": "from dotenv import load_dotenv\n"})
    isolated.chdir("a/bot")
    subprocess.run(made, check=True)
    cli(INIT)
    assert "PS7_SEAL_KEYS" in Path(".env").read_text()


@pytest.mark.parametrize("reads", ["from dotenv import load_dotenv\n", ""])
def test_a_env_above_is_not_hidden_from_the_bots_code(
    cli: Cli, isolated: pytest.MonkeyPatch, reads: str
) -> None:
    """`load_dotenv()` takes the first one that it finds above: what is there stays found."""
    git("init", "-q")
    lay_out(Path(), {".env": "BACKEND=http://127.0.0.1:1\n"})
    lay_out(Path("rasa/bot"), {**BOT, "actions/__init__.py": reads})
    isolated.chdir("rasa/bot")
    out = cli(INIT).out
    above, here = Path("../../.env").read_text(), Path(".env")
    assert above.startswith("BACKEND=http://127.0.0.1:1\n")
    assert ("PS7_SEAL_KEYS" in above, here.exists()) == (bool(reads), not reads)
    said = (
        "the settings are in ../../.env, which your actions read by themselves, since a .env here"
    )
    assert_found(left_to_you(out), [said] if reads else [])
    assert cli("init").out.startswith("Nothing to change")


def test_init_says_to_set_renamed_slots_elsewhere_too(cli: Cli) -> None:
    """They are set for this one, named for the others, and a clone without them is told."""
    bot({})
    (said,) = left_to_you(cli(f"{INIT} --pt").out)
    assert said.startswith("PS7_SLOT_NAMES is in .env alone, which git leaves out: set it too for")
    assert said.endswith("the head of domain/ps7/domain.yml has it")
    assert cli(STRICT).code == 0
    Path(".env").unlink()
    (found,) = wrong_in(cli("doctor --bot . --only-bot --json").out)
    assert found.startswith("error slot-names: domain/ps7/domain.yml declares agencia, conta, cpf_")


def test_a_shell_reads_the_env_that_init_writes(cli: Cli) -> None:
    """As python-dotenv does: what is JSON is in quotes."""
    bot({})
    cli(f"{INIT} --pt")
    names = ("PS7_SEAL_KEYS", "PS7_SLOT_NAMES")
    shown = f'set -a; . ./.env; printf \'%s\\n\' "${names[0]}" "${names[1]}"'
    said = subprocess.run(["sh", "-c", shown], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [dotenv_values(".env")[name] for name in names]
    assert len(json.loads(said.splitlines()[0])) == 1


@pytest.mark.parametrize("line", ["include .env\nexport\n", "x:\n\tdocker run --env-file .env x\n"])
def test_what_keeps_quotes_gets_none(cli: Cli, line: str) -> None:
    """Make, and `docker run`."""
    bot({"Makefile": line})
    cli(f"{INIT} --pt")
    assert re.findall(r"PS7_S\w+=(.)", Path(".env").read_text()) == ["[", "{"]


def test_the_environment_in_the_folder_is_kept_out_of_git(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """The one from which the command runs, as the README makes it."""
    git("init", "-q")
    bot({".venv-actions/pyvenv.cfg": ""})
    isolated.setattr("sys.prefix", str(Path(".venv-actions").resolve()))
    cli(INIT)
    assert Path(".gitignore").read_text() == ".env\n.venv-actions/\n"


# -- slots: A24, C5 -------------------------------------------------------------------------------


def test_the_doctor_names_a_slot_that_two_files_fill(cli: Cli) -> None:
    """One of the two is not had, whichever Rasa reads first."""
    bot({})
    cli(INIT)
    lay_out(Path("domain"), {"a.yml": TAKEN})
    (own, twice) = wrong_in(cli("doctor --bot . --only-bot --json").out)
    assert own.startswith("error slot-filled-elsewhere: slot cpf is filled by from_text")
    files = "domain/a.yml and domain/ps7/domain.yml"
    assert twice.startswith(f"error slot-twice: {files} declare slot cpf, filled in other ways")


# -- versions, dialogue: A25, A26, A27, A29 -------------------------------------------------------


def test_a_bot_for_rasa_2_is_named(cli: Cli) -> None:
    """With what brings it to Rasa 3; nothing is changed before."""
    bot({"domain.yml": DOMAIN.replace("3.1", "2.0")})
    before = tree()
    code, _, err = cli(INIT)
    assert (code, tree()) == (1, before)
    assert "the domain says `version: 2.0`: it is written for Rasa 2" in err
    assert "nothing was changed. Run `rasa data migrate` with Rasa 3.6" in err
    found = wrong_in(cli("doctor --bot . --only-bot --json").out)
    assert found[0].startswith("error rasa-2: ")


OWN_START = 'class Start:\n    def name(self):\n        return "action_session_start"\n'


def test_a_bot_that_greets_as_a_session_starts_is_told(cli: Cli) -> None:
    """By `init`, with the place, and by the doctor, until it is derived from the plugin's class."""
    bot({"actions/start.py": OWN_START})
    code, out, _ = cli(INIT)
    assert (code, "[session-start-early]" in out) == (0, True)
    said = "your action_session_start (actions/start.py:3) runs before the lookup: if it greets,"
    assert_found(left_to_you(out), [said])
    Path("actions/start.py").write_text(OWN_START.replace("Start:", "Start(PS7SessionStart):"))
    assert cli(STRICT).code == 0


# -- places: A30 ----------------------------------------------------------------------------------


def test_init_takes_each_file_from_where_it_is_named(cli: Cli) -> None:
    """They are named, and the commands that come next name them too."""
    lay_out(
        Path(),
        {
            "domains/bp.yml": DOMAIN,
            "domains/other.yml": "intents: [x]\n",
            "config/bp.yml": BOT["config.yml"],
            "endpoints/bp.yml": "tracker_store: {type: InMemory}\n",
        },
    )
    named = "--domain domains/bp.yml --config config/bp.yml --endpoints endpoints/bp.yml"
    code, out, _ = cli(f"{INIT} {named}")
    assert code == 0
    assert "assistente do Personnalité" in Path("domains/bp/bot.yml").read_text()
    assert Path("domains/bp/ps7/domain.yml").exists()
    assert "action_endpoint" in Path("endpoints/bp.yml").read_text()
    train = (
        "rasa train --domain domains/bp --config config/bp.yml"
        " && rasa run --enable-api -i 127.0.0.1 --endpoints endpoints/"
    )
    assert train in out
    again = named.replace("bp.yml --config", "bp --config")
    assert cli(f"init {again}").out.startswith("Nothing to change")
    assert cli("init --domain nowhere.yml") == (
        *(1, ""),
        "nowhere.yml does not exist: nothing was changed\n",
    )
