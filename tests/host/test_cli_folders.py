"""A folder that somebody else wrote: nothing of it is run, sent, waited for, or written over."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import trustme

from actions.ps7.cli.command import main
from tests.support.command import Cli, Terminal
from tests.support.init_bots import BOTS, lay_out, shell
from tests.support.pages import serving
from tests.support.processes import ROOT

pytestmark = pytest.mark.timeout(60)

BOT, DOMAIN = BOTS["file"], BOTS["file"]["domain.yml"]
INIT, DOCTOR = "init --yes", "doctor --bot . --only-bot"


def everything() -> list[str]:
    return sorted(map(str, Path().rglob("*")))


# -- what a folder would have run -----------------------------------------------------------------


@pytest.mark.slow
def test_no_module_of_the_folder_is_imported(
    isolated: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As in CI, which looks at whatever was pushed: by the program that pip installs."""
    lay_out(Path(), {**BOT, "json.py": "open('ran', 'w')\n", "re.py": "open('ran', 'w')\n"})
    program = tmp_path_factory.mktemp("bin") / "rasa-ps7"
    program.write_text("import sys\nfrom actions.ps7.cli.command import main\nsys.exit(main())\n")
    isolated.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, str(program), *DOCTOR.split(), "--rasa-python", sys.executable]
    ended = subprocess.run(command, capture_output=True, check=False, text=True)
    assert "Bot\n" in ended.stdout, ended.stderr
    assert not Path("ran").exists()


OWN_GIT = "git init -q && git config core.fsmonitor {program}"
BURIED = """\
git init -q .. && git init -q --bare bare && mv bare/* . && rmdir bare
git config -f config core.bare false && git config -f config core.worktree .
git config -f config core.fsmonitor {program}
"""
PARTIAL = """\
git init -q && git add domain.yml && git -c user.name=a -c user.email=a@b.c commit -qm a
rm -r .git/objects/??
git config extensions.partialClone origin && git config remote.origin.promisor true
git config remote.origin.url . && git config remote.origin.uploadpack {program}
"""
ASKS_ONE = "git -c safe.bareRepository=all ls-files --error-unmatch -- domain.yml || true"
FETCHES = "git cat-file -e HEAD || true"


@pytest.mark.parametrize(
    ("made", "runs_it", "keeps_keys"),
    [(OWN_GIT, ASKS_ONE, True), (BURIED, ASKS_ONE, False), (PARTIAL, FETCHES, True)],
)
def test_no_program_that_a_repository_names_is_run(
    cli: Cli, isolated: pytest.MonkeyPatch, made: str, runs_it: str, keeps_keys: bool
) -> None:
    """An archive's own, a bare one in the folder, or one that lacks what it would fetch.

    Whatever the environment lets git do otherwise.
    """
    isolated.setenv("GIT_NO_LAZY_FETCH", "0")
    isolated.setenv("GIT_ALLOW_PROTOCOL", "file")
    Path("bot").mkdir()
    isolated.chdir("bot")
    lay_out(Path(), {**BOT, ".env": "PS7_PASSWORD=planted\n", "run": "#!/bin/sh\ntouch ../ran\n"})
    Path("run").chmod(0o755)
    shell(made.format(program=Path("run").resolve()))
    for line in (DOCTOR, INIT, DOCTOR):
        cli(line)
        assert not Path("../ran").exists()
    # Nobody knows what a buried repository keeps.
    assert ("PS7_SEAL_KEYS" in Path(".env").read_text()) is keeps_keys
    shell(runs_it)
    assert Path("../ran").exists()  # it would have been


# -- what has no end, or cannot be read -----------------------------------------------------------

BESIDE = [
    "mkdir -p domain data actions; ln -s . domain/up; ln -s .. data/up; ln -s . actions/x",
    "ln -s nowhere domain/gone.yml; ln -s b data; ln -s data b; ln -s self tests; ln -s tests self",
    "mkdir -p data actions tests; mkfifo data/x.yml actions/x.py Makefile tests/x.yml",
    "printf '? \"a\\\\0b.C\"\\n: x\\n' > credentials.yml",
    "mkdir actions; truncate -s 2M actions/own.py",
    "printf 'rasa train # \\351\\n' > build.sh; mkdir actions; cp build.sh actions/own.py",
]
IN_THE_WAY = [
    "rm domain.yml; mkfifo domain.yml",
    *("mkfifo domain", "mkfifo .env", "mkfifo .gitignore", "mkfifo credentials.yml"),
    *("ln -s /dev/zero endpoints.yml", "ln -s nowhere .env"),
    *("truncate -s 8G domain.yml", "truncate -s 8G .env"),
    "mkdir domain; ln -s ../../elsewhere domain/x; rm domain.yml; mkdir -p ../elsewhere",
    "mkdir -p actions/__init__.py",
    "echo 'a: !!python/object:os.system {}' >> domain.yml",
    "echo '? [a, {b: c}]\n: 1' >> domain.yml",
    "printf 'a: \\0' >> config.yml",
]


@pytest.mark.parametrize("line", BESIDE)
def test_what_is_beside_a_bot_and_cannot_be_read_is_left_out(cli: Cli, line: str) -> None:
    """Folders that lead back, pipes and odd bytes: the rest is read, and once."""
    lay_out(Path(), {"domain/bot.yml": DOMAIN, "config.yml": BOT["config.yml"]})
    shell(line)
    assert "domain/ps7/domain.yml" in cli("init --dry-run").done()
    assert "the domain was read, from one file" in cli(DOCTOR).out


@pytest.mark.parametrize("line", IN_THE_WAY)
def test_what_is_in_the_way_and_cannot_be_read_is_named(cli: Cli, line: str) -> None:
    """In one line, and nothing is changed."""
    lay_out(Path(), BOT)
    shell(line)
    there = everything()
    assert len(cli(INIT).refused()) > 10
    assert everything() == there
    cli(DOCTOR)


def test_a_link_out_of_the_folder_is_not_read(cli: Cli) -> None:
    """Neither a domain file nor code; what is named on the command line is."""
    lay_out(Path("elsewhere"), {"x.yml": "intents: [planted]\n", "x.py": "import rasa_ps7\n"})
    lay_out(Path("bot"), {"domain/bot.yml": DOMAIN, "actions/own.py": ""})
    shell("ln -s ../../elsewhere/x.yml bot/domain; ln -s ../../elsewhere/x.py bot/actions")
    doctor = "doctor --bot bot --only-bot"
    assert "domain/x.yml is a link out of the folder [file-unreadable]" in cli(doctor).out
    Path("bot/domain/x.yml").unlink()
    out = cli(f"{doctor} --domain bot/domain --domain elsewhere/x.yml").out
    assert "[plugin-missing]" in out
    assert "from 2 files" in out


def test_how_much_is_read_is_bounded(cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """Values, names and bytes of all that lies in a folder."""
    lay_out(Path(), BOT)
    lay_out(Path("data"), {f"{n}.yml": "rules: [{a: 1}]\n" for n in range(24)})
    isolated.setattr("actions.ps7.cli.bot.yaml._MOST_KEPT", 2)
    assert "file-skipped" not in cli(DOCTOR).out
    isolated.setattr("actions.ps7.cli.bot.files.MOST_VALUES", 200)
    lay_out(Path("data"), {"values.yml": f"rules: [{'a, ' * 300}]\n"})
    out = cli(DOCTOR).out
    for file in ("data/9.yml", "data/values.yml"):
        assert f"{file} is too much: 50,000 values of a bot are read, 100 deep [file-skip" in out
    isolated.setattr("actions.ps7.cli.bot.files._MOST_ENTRIES", 3)
    assert "file-skipped" not in cli(DOCTOR).out
    isolated.setattr("actions.ps7.cli.bot.files._MOST_TOTAL", 500)
    assert "is one too many: 16 MiB were read before it [file-skipped]" in cli(DOCTOR).out


# -- what is sent ---------------------------------------------------------------------------------


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """Return somebody's server, and what it is asked for."""
    asked: list[str] = []

    def page(path: str, _: Any) -> object:  # noqa: ANN401 - JSON
        asked.append(path)
        return {"code": "1"}

    with serving(page) as url:
        yield url, asked


@pytest.mark.parametrize(
    ("command", "variable", "borrowed"),
    [
        ("doctor", "PS7_PASSWORD", ""),
        ("lookup ana", "PS7_PASSWORD", ""),
        ("lookup ana", "PS7_SECRETS_DIR", ""),
        ("lookup ana", "OTHER_SECRET", "PS7_PASSWORD=${OTHER_SECRET}\n"),
        *(("lookup ana", name, "PS7_PASSWORD=own\n") for name in ("PS7_API_KEY", "PS7_APP_SECRET")),
    ],
)
def test_no_password_of_the_environment_goes_where_a_env_says(  # noqa: PLR0917 - fixtures
    cli: Cli,
    isolated: pytest.MonkeyPatch,
    heard: tuple[str, list[str]],
    command: str,
    variable: str,
    borrowed: str,
) -> None:
    """Unless a person says so; a .env that has both, or neither, is one's own."""
    url, asked = heard
    env = f"PS7_BASE_URL={url}\nPS7_USERNAME=me\n"
    lay_out(Path(), {"planted/PS7_PASSWORD": "planted", ".env": env + borrowed})
    with isolated.context() as set_here:
        set_here.setenv(variable, "planted")
        err = cli(command).refused()
        assert "comes from .env" not in cli("doctor --offline").err
        assert asked == []
        assert "planted" not in err
        assert "PS7_BASE_URL comes from .env in this folder, and would be sent what does not" in err
        named = variable if borrowed else "PS7_PASSWORD"
        assert f"({named}): nothing was sent" in err
        cli(f"{command} --yes")
        assert asked
    asked.clear()
    Path(".env").write_text(f"{env}PS7_PASSWORD=own\n")
    cli(command)
    assert asked


@pytest.mark.parametrize("setting", ["PS7_PROXY={url}", "PS7_CA_FILE=ca.pem"])
def test_no_password_of_the_environment_goes_by_way_of_whom_a_env_names(
    cli: Cli, isolated: pytest.MonkeyPatch, heard: tuple[str, list[str]], setting: str
) -> None:
    """To an address of the environment, too.

    Over http a proxy reads it, and with an authority of its own a foreign .env could let anybody
    play the bank's PS7.
    """
    url, asked = heard
    for name, value in (("BASE_URL", url), ("USERNAME", "me"), ("PASSWORD", "planted")):
        isolated.setenv(f"PS7_{name}", value)
    trustme.CA().cert_pem.write_to_path("ca.pem")
    Path(".env").write_text(f"{setting.format(url=url)}\n")
    said = f"{setting.partition('=')[0]} comes from .env in this folder"
    assert said in cli("lookup ana").refused()
    assert asked == []


FILLED_IN = [
    "{url}/${{X_S}}",
    "http://${{X_S}}.{host}",
    "http://${{X_S}}:5055",
    "https://${{X_S}}/",
]


@pytest.mark.parametrize("at", [*FILLED_IN, "http://${{X_S}}", "http://$X_S:5055", "${{X_S}}:5055"])
def test_no_variable_of_the_environment_is_filled_into_an_address(
    cli: Cli, isolated: pytest.MonkeyPatch, heard: tuple[str, list[str]], at: str
) -> None:
    """But where it is the address, or its host and port by name: files of a bot choose no more."""
    url, asked = heard
    isolated.setenv("X_S", "planted")
    address = at.format(url=url, host=url.partition("://")[2])
    lay_out(Path(), {**BOT, "endpoints.yml": f"action_endpoint: {{url: '{address}'}}\n"})
    assert "[action-server-url]" in cli("doctor --bot .").out
    assert asked == []


# -- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["domain.yml", "domain/bot.yml", "endpoints.yml"])
def test_what_somebody_writes_while_it_asks_is_not_lost(
    isolated: pytest.MonkeyPatch, name: str
) -> None:
    """It stops: what was shown is what is written, or nothing."""
    lay_out(Path(), BOT)

    class Slow(Terminal):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            assert size is not None
            lay_out(Path(), {name: "mine: 1\n"})
            return "y\n"

    isolated.setattr("sys.stdin", Slow())
    isolated.setattr("sys.stdout", Terminal())
    isolated.setattr("sys.stderr", err := Terminal())
    assert main(["init"]) == 1
    said = err.getvalue()
    assert name in said
    assert said.endswith(": nothing was changed\n")
    assert Path(name).read_text() == "mine: 1\n"
    assert Path("domain.yml").exists()


def test_a_file_that_changes_while_others_are_written_stops_it_there(
    isolated: pytest.MonkeyPatch, cli: Cli
) -> None:
    """What was written is named by the next run, which makes the rest."""
    lay_out(Path(), BOT)
    rename, own = Path.rename, {"domain/ps7/domain.yml": "slots: {mine: {type: any}}\n"}

    def late(path: Path, to: Path) -> Path:
        lay_out(Path(), own)
        return rename(path, to)

    isolated.setattr(Path, "rename", late)
    said = "domain/ps7/domain.yml has changed meanwhile: what comes after"
    assert said in cli(INIT).refused()
    assert Path("domain/ps7/domain.yml").read_text() == own["domain/ps7/domain.yml"]


@pytest.mark.parametrize("failing", range(7))
def test_the_next_run_makes_what_a_failure_left(
    isolated: pytest.MonkeyPatch, cli: Cli, failing: int
) -> None:
    """Whatever is written by then, and nothing is left of what was not."""
    lay_out(Path(), BOT)
    steps = count()

    def full(real: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def counted(path: Path, to: Path) -> Path:
            if next(steps) == failing:
                raise OSError(28, "No space left on device")
            return real(path, to)

        return counted

    for name in ("rename", "replace"):
        isolated.setattr(Path, name, full(getattr(Path, name)))
    assert "cannot be written: No space left on device\n" in cli(INIT).refused()
    assert cli(INIT).code == 0
    assert cli(f"{DOCTOR} --strict").code == 0
    assert list(Path().glob(".*.*.*")) == []


NO_PROGRAM = "git init -q; : # and then there is no git"


@pytest.mark.parametrize(
    ("git", "ignores", "takes"),
    [
        ("true", ".env\n", True),
        ("git init -q", ".env\n", True),
        ("git init -q; echo .env > .git/info/exclude", None, True),
        ("echo '.env\n!.env' > .gitignore; git init -q", ".env\n!.env\n.env\n", True),
        ("echo '.env\n!.env' > .gitignore", ".env\n!.env\n.env\n", True),
        ("echo .env > .gitignore", ".env\n", True),
        (
            "git init -q ..; echo .env > ../.gitignore; echo '!.env' > .gitignore",
            "!.env\n.env\n",
            True,
        ),
        # Nobody can tell without the program, or where it refuses to.
        ("git init -q; git add -f .env", None, False),
        ("git init -q; rm .git/HEAD", None, False),
        ("echo 'gitdir: /nowhere' > .git", None, False),
        (NO_PROGRAM, None, False),
    ],
)
def test_a_key_goes_into_no_env_that_git_keeps_or_may_keep(
    cli: Cli, isolated: pytest.MonkeyPatch, git: str, ignores: str | None, takes: bool
) -> None:
    """Its owner alone reads it then. A folder that is no repository yet gets the rule too."""
    Path("bot").mkdir()
    isolated.chdir("bot")
    lay_out(Path(), {**BOT, ".env": "OWN=1\n"})
    shell(git)
    with isolated.context() as patched:
        patched.setenv("PATH", "/nowhere" if git == NO_PROGRAM else os.environ["PATH"])
        warns = "until then no seal opens after its restart" in cli(INIT).out
    env, ignored = Path(".env"), Path(".gitignore")
    assert env.read_text().startswith("OWN=1\n")
    assert ("PS7_SEAL_KEYS" in env.read_text(), warns) == (takes, not takes)
    assert env.stat().st_mode & 0o777 == (0o600 if takes else 0o644)
    assert (ignored.read_text() if ignored.exists() else None) == ignores


def test_a_rule_that_git_does_not_follow_stops_the_key(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """Git is asked about the very file once the rule is there."""
    lay_out(Path(), BOT)
    shell("git init -q")
    isolated.setattr("actions.ps7.cli.init.changes.is_ignored", lambda _: False)
    said = "git does not ignore .env, so no secret was written there: set PS7_SEAL"
    assert cli(INIT).refused().startswith(said)
    assert not Path(".env").exists()


def test_a_written_file_keeps_its_mode(cli: Cli) -> None:
    """And a new one has that of any new file."""
    lay_out(Path(), {**BOT, "endpoints.yml": "a: 1\n"})
    Path("endpoints.yml").chmod(0o604)
    Path("domain.yml").chmod(0o644)
    mask = os.umask(0o027)
    try:
        cli(INIT)
    finally:
        os.umask(mask)
    written = ("endpoints.yml", "domain/bot.yml", "domain/ps7/domain.yml")
    assert [Path(name).stat().st_mode & 0o777 for name in written] == [0o604, 0o644, 0o640]
