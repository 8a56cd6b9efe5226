"""`rasa-ps7 init` and `doctor` in bots as others write them: what they name, and leave."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.support.command import Cli
from tests.support.doctor import assert_found
from tests.support.init_bots import BOTS, DOMAIN, lay_out, lay_out_bot, left_to_you, shell

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


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("", ["'[", "'{"]),
        ("include .env\nexport\n", ['["', '{"']),
        ("x:\n\tdocker run --env-file .env x\n", ['["', '{"']),
    ],
)
def test_json_in_a_env_is_in_quotes_unless_something_keeps_them(
    cli: Cli, line: str, begins: list[str]
) -> None:
    """A shell and python-dotenv need them; Make and `docker run` take them for its value."""
    lay_out_bot({"Makefile": line})
    cli(f"{INIT} --pt")
    assert re.findall(r"PS7_S\w+=(..)", Path(".env").read_text()) == begins


def test_the_environment_in_the_folder_is_kept_out_of_git(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """The one from which the command runs, as the README makes it."""
    shell("git init -q")
    lay_out_bot({".venv-actions/pyvenv.cfg": ""})
    isolated.setattr("sys.prefix", str(Path(".venv-actions").resolve()))
    cli(INIT)
    assert Path(".gitignore").read_text() == ".env\n.venv-actions/\n"


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
