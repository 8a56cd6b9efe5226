"""A folder that somebody else wrote: nothing of it is run, sent, waited for, or written over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from actions.ps7.cli.command import main
from tests.support.command import Cli, Terminal
from tests.support.doctor import SECRETS
from tests.support.init_bots import BOTS, fail_at, lay_out
from tests.support.pages import serving
from tests.support.processes import ROOT

pytestmark = pytest.mark.timeout(60)

BOT, DOMAIN = BOTS["file"], BOTS["file"]["domain.yml"]
INIT, DOCTOR = "init --yes", "doctor --bot . --only-bot"
JOURNAL = ".rasa-ps7.json"


def shell(line: str) -> None:
    subprocess.run(["sh", "-c", line], check=True, capture_output=True)


# -- what a folder would have run -----------------------------------------------------------------


def test_no_module_of_the_folder_is_imported(
    isolated: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As in CI, which looks at whatever was pushed: by the program that pip installs."""
    lay_out(Path(), {**BOT, "json.py": "open('ran', 'w')\n", "re.py": "open('ran', 'w')\n"})
    program = tmp_path_factory.mktemp("bin") / "rasa-ps7"
    program.write_text("import sys\nfrom actions.ps7.cli.command import main\nsys.exit(main())\n")
    isolated.setenv("PYTHONPATH", str(ROOT))
    for arguments in (DOCTOR, f"{DOCTOR} --rasa-python {sys.executable}"):
        command = [sys.executable, str(program), *arguments.split()]
        ended = subprocess.run(command, capture_output=True, check=False, text=True)
        assert "Bot\n" in ended.stdout, ended.stderr
        assert not Path("ran").exists()


OWN_GIT = "git init -q && git config core.fsmonitor {program}"
BURIED = """\
git init -q .. && git init -q --bare bare && mv bare/* . && rmdir bare
git config -f config core.bare false && git config -f config core.worktree .
git config -f config core.fsmonitor {program}
"""


@pytest.mark.parametrize("made", [OWN_GIT, BURIED])
def test_no_program_that_a_repository_names_is_run(
    cli: Cli, isolated: pytest.MonkeyPatch, made: str
) -> None:
    """One of an archive's own, or a bare one that lies in the folder."""
    Path("bot").mkdir()
    isolated.chdir("bot")
    lay_out(Path(), {**BOT, ".env": "PS7_PASSWORD=planted\n", "run": "#!/bin/sh\ntouch ../ran\n"})
    Path("run").chmod(0o755)
    shell(made.format(program=Path("run").resolve()))
    for line in (DOCTOR, INIT, DOCTOR):
        cli(line)
        assert not Path("../ran").exists()
    # Nobody knows what such a repository keeps.
    assert ("PS7_SEAL_KEYS" in Path(".env").read_text()) is (made == OWN_GIT)
    shell("git -c safe.bareRepository=all ls-files --error-unmatch -- domain.yml || true")
    assert Path("../ran").exists()  # it would have been


def test_a_journal_that_a_repository_brings_is_obeyed_by_nothing(cli: Cli) -> None:
    """There was a command that took back what such a file says, `.git/config` included."""
    shell("git init -q")
    before = Path(".git/config").read_text()
    own = DOMAIN.replace("greet,", "bye, greet,")
    entry = {"path": ".git/config", "moved_to": None, "before": 1, "after": 2}
    hunks = [[0, ["[core]", "fsmonitor = ./run"], [before.splitlines()[0]]]]
    lay_out(Path(), {**BOT, JOURNAL: json.dumps([{**entry, "hunks": hunks}]), "domain.yml": own})
    code, _, err = cli("init --undo --yes")
    assert (code, "unrecognized arguments: --undo" in err) == (2, True)
    assert cli(INIT).code == 0
    assert Path(".git/config").read_text() == before
    assert "bye, greet" in Path("domain/bot.yml").read_text()


# -- what has no end ------------------------------------------------------------------------------

LEADS_BACK = "mkdir -p domain data actions; ln -s . domain/up; ln -s .. data/up; ln -s . actions/x"
LINKS = (
    "ln -s nowhere domain/gone.yml; ln -s b data; ln -s data b; ln -s self tests; ln -s tests self"
)
FIFOS = "; ".join(
    f"mkdir -p {Path(name).parent}; rm -rf {name}; mkfifo {name}"
    for name in ("data/x.yml", "actions/x.py", "Makefile", "tests/x.yml", "requirements.txt")
)
IN_THE_WAY = [
    *(f"rm -f {name}; mkfifo {name}" for name in ("domain.yml", "config.yml", "endpoints.yml")),
    *(f"mkfifo {name}" for name in ("credentials.yml", ".env", ".gitignore", "domain")),
    *(f"ln -sf /dev/zero {name}" for name in ("domain.yml", "endpoints.yml", ".env")),
    *(f"ln -sf nowhere {name}" for name in (".env", ".gitignore")),
    *(f"rm -f {n}; truncate -s 8G {n}" for n in ("domain.yml", ".env", ".gitignore")),
    "mkdir domain; ln -s /dev/zero domain/x.yml; rm domain.yml",
    "mkdir domain; ln -s ../../elsewhere domain/x; rm domain.yml; mkdir -p ../elsewhere",
]


@pytest.mark.parametrize("line", [LEADS_BACK, FIFOS, LINKS])
def test_what_is_beside_a_bot_and_has_no_end_is_left_out(cli: Cli, line: str) -> None:
    """Folders that lead back, pipes and devices: the rest is read, and once."""
    lay_out(Path(), {"domain/bot.yml": DOMAIN, "config.yml": BOT["config.yml"]})
    shell(line)
    code, out, err = cli("init --dry-run")
    assert (code, err, "domain/ps7/domain.yml" in out) == (0, "", True)
    assert "the domain was read, from one file" in cli(DOCTOR).out


@pytest.mark.parametrize("line", IN_THE_WAY)
def test_what_is_in_the_way_and_has_no_end_is_named(cli: Cli, line: str) -> None:
    """In one line, and nothing is changed."""
    lay_out(Path(), BOT)
    shell(line)
    there = sorted(map(str, Path().rglob("*")))
    code, _, err = cli(INIT)
    assert (code, len(err) > 10, "Traceback" in err) == (1, True, False)
    assert sorted(map(str, Path().rglob("*"))) == there
    cli(DOCTOR)


def test_a_link_out_of_the_folder_is_not_read(cli: Cli) -> None:
    """Neither a domain file nor code; what is named on the command line is."""
    lay_out(Path("elsewhere"), {"x.yml": "intents: [planted]\n", "x.py": "import rasa_ps7\n"})
    files = {**BOT, "domain/bot.yml": DOMAIN, "actions/own.py": ""}
    lay_out(Path("bot"), {name: text for name, text in files.items() if name != "domain.yml"})
    shell("ln -s ../../elsewhere/x.yml bot/domain; ln -s ../../elsewhere/x.py bot/actions")
    out = cli("doctor --bot bot --only-bot").out
    assert "bot/domain/x.yml is a link out of the folder [file-unreadable]" in out
    shell("rm bot/domain/x.yml")
    assert "[plugin-missing]" in cli("doctor --bot bot --only-bot").out
    assert (
        "from 2 files"
        in cli("doctor --bot bot --only-bot --domain bot/domain --domain elsewhere/x.yml").out
    )


MANY = {f"data/{n}/{m}.yml": "rules: []\n" for n in range(40) for m in range(60)}
VALUES = f"intents: [{'a,' * 200_000}a]\n"
DEEP = "/".join("d" * 30)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"data/nlu.yml": "nlu: []\n" + "# rules\n" * 200_000}, "data/nlu.yml is larger than 1024"),
        ({"domain.yml": VALUES}, "domain.yml is too much: 50,000 values"),
        (MANY, "the domain was read, from 2 files"),
        ({f"data/{DEEP}/x.yml": "rules: ["}, "the domain was read, from 2 files"),
    ],
)
def test_what_is_large_is_bounded(cli: Cli, files: dict[str, str], said: str) -> None:
    """A file, its values, how many there are, and how deep."""
    lay_out(Path(), {**BOT, **files})
    _, out, err = cli(INIT)
    assert said in out + err


def test_how_much_is_read_is_bounded(cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """Names, bytes and values of all that lies in a folder, beside those of each file."""
    many = {f"data/{n}.yml": "# rules\n" * 100_000 for n in range(24)}
    code = {f"actions/{n}.py": "#\n" * 500_000 for n in range(10)}
    lay_out(Path(), {**BOT, **many, **code, "actions/large.py": "#\n" * 600_000})
    out = cli(DOCTOR).out
    assert "is one too many: 16 MiB were read before it [file-skipped]" in out
    lay_out(Path("data"), {f"{n}.yml": "rules: [{a: 1}]\n" for n in range(24)})
    isolated.setattr("actions.ps7.cli.bot.yaml._MOST_KEPT", 2)
    assert "file-skipped" not in cli(DOCTOR).out
    isolated.setattr("actions.ps7.cli.bot.files.MOST_VALUES", 200)
    too_much = "yml is too much: 50,000 values of a bot are read, 100 deep [file-skipped]"
    assert too_much in cli(DOCTOR).out
    isolated.setattr("actions.ps7.cli.bot.files._MOST_ENTRIES", 3)
    assert too_much not in cli(DOCTOR).out


# -- what cannot be read --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("echo 'a: !!python/object:os.system {}' >> domain.yml", False),
        ("echo '? [a, {b: c}]\n: 1' >> domain.yml", False),
        ("echo 'a: !!timestamp x' >> domain.yml", False),
        ("echo 'a: !!int x' >> config.yml", False),
        ("printf 'a: \\0' >> config.yml", False),
        ("mkdir -p actions/__init__.py", False),
        ("printf '? \"a\\\\0b.C\"\\n: x\\n' > credentials.yml", True),
        ("mkdir -p domain/bot.yml", False),
        ("printf 'rasa train # \\351\\n' > build.sh", True),
        ("mkdir actions; printf '# \\351\\n' > actions/own.py", True),
        ("mkdir actions; printf 'x = \"\\\\d\"\\n' > actions/own.py", True),
    ],
)
def test_what_cannot_be_read_gets_a_word(cli: Cli, line: str, done: bool) -> None:
    """No traceback, and nothing half done; what is only looked at stops nothing."""
    lay_out(Path(), BOT)
    shell(line)
    before = sorted(map(str, Path().rglob("*")))
    code, out, err = cli(INIT)
    assert (code, "Traceback" in err) == (0 if done else 1, False)
    if done:
        assert "no errors" in out
    else:
        assert sorted(map(str, Path().rglob("*"))) == before
    cli(DOCTOR)


# -- what is sent ---------------------------------------------------------------------------------

ELSEWHERE = {name: value for name, value in SECRETS.items() if name != "PS7_USERNAME"}


@pytest.fixture
def heard() -> Iterator[tuple[str, list[str]]]:
    """Return somebody's server, and what it is asked for."""
    asked: list[str] = []

    def page(path: str, _: Any) -> object:  # noqa: ANN401 - JSON
        asked.append(path)
        return {"code": "1"}

    with serving(page) as url:
        yield url, asked


@pytest.mark.parametrize("command", ["doctor", "lookup ana"])
@pytest.mark.parametrize("kept", ["environment", "secret file", "borrowed"])
def test_no_password_of_the_environment_goes_where_a_env_says(  # noqa: PLR0917 - fixtures
    cli: Cli,
    isolated: pytest.MonkeyPatch,
    heard: tuple[str, list[str]],
    tmp_path_factory: pytest.TempPathFactory,
    command: str,
    kept: str,
) -> None:
    """Unless a person says so; a .env that has both, or neither, is one's own."""
    url, asked = heard
    env = f"PS7_BASE_URL={url}\nPS7_USERNAME=me\n"
    if kept == "environment":
        isolated.setenv("PS7_PASSWORD", "planted")
    elif kept == "secret file":
        folder = tmp_path_factory.mktemp("secrets")
        (folder / "PS7_PASSWORD").write_text("planted")
        isolated.setenv("PS7_SECRETS_DIR", str(folder))
    else:
        isolated.setenv("OTHER_SECRET", "planted")
        env += "PS7_PASSWORD=${OTHER_SECRET}\n"
    Path(".env").write_text(env)
    code, _, err = cli(command)
    assert (code, asked, "planted" in err) == (1, [], False)
    named = "OTHER_SECRET" if kept == "borrowed" else "PS7_PASSWORD"
    assert "PS7_BASE_URL comes from .env in this folder, and would be sent what does not" in err
    assert f"({named}): nothing was sent" in err
    cli(f"{command} --yes")
    assert asked
    asked.clear()
    for name in ("PS7_PASSWORD", "PS7_SECRETS_DIR", "OTHER_SECRET"):
        isolated.delenv(name, raising=False)
    Path(".env").write_text(f"PS7_BASE_URL={url}\nPS7_USERNAME=me\nPS7_PASSWORD=own\n")
    cli(command)
    assert asked


def test_no_password_of_the_environment_goes_through_a_proxy_that_a_env_names(
    cli: Cli, isolated: pytest.MonkeyPatch, heard: tuple[str, list[str]]
) -> None:
    """To an address of the environment, too: over http the proxy reads it."""
    url, asked = heard
    for name, value in (("BASE_URL", "http://127.0.0.1:9"), ("USERNAME", "me"), ("PASSWORD", "me")):
        isolated.setenv(f"PS7_{name}", value)
    Path(".env").write_text(f"PS7_PROXY={url}\n")
    code, _, err = cli("lookup ana")
    assert (code, asked, "PS7_PROXY comes from .env in this folder" in err) == (1, [], True)


def test_no_password_of_the_environment_goes_to_whom_a_env_trusts(
    cli: Cli, isolated: pytest.MonkeyPatch, heard: tuple[str, list[str]]
) -> None:
    """With an authority of its own, a foreign .env could let anybody play the bank's PS7."""
    url, asked = heard
    for name, value in (("BASE_URL", url), ("USERNAME", "me"), ("PASSWORD", "planted")):
        isolated.setenv(f"PS7_{name}", value)
    trustme.CA().cert_pem.write_to_path("ca.pem")
    Path(".env").write_text("PS7_CA_FILE=ca.pem\n")
    code, _, err = cli("lookup ana")
    assert (code, asked, "PS7_CA_FILE comes from .env in this folder" in err) == (1, [], True)


@pytest.mark.parametrize(
    "at", ["{url}/${{X_S}}", "http://${{X_S}}.{host}", "{url}?${{X_S}}", "{url}/${{X_S}}/webhook"]
)
def test_no_variable_of_the_environment_is_filled_into_an_address(
    cli: Cli, isolated: pytest.MonkeyPatch, heard: tuple[str, list[str]], at: str
) -> None:
    """But where it is the address, or its host and port by name: files of a bot choose no more."""
    url, asked = heard
    for name, value in {**SECRETS, "PS7_BASE_URL": "https://cec..example.com"}.items():
        isolated.setenv(name, value)
    isolated.setenv("X_S", "planted")
    address = at.format(url=url, host=url.partition("://")[2])
    lay_out(Path(), {**BOT, "endpoints.yml": f"action_endpoint: {{url: '{address}'}}\n"})
    assert "[action-server-url]" in cli("doctor --bot .").out
    assert asked == []


# -- what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("domain.yml", "echo 'entities: [mine]' >> domain.yml"),
        ("endpoints.yml", "echo 'mine: 1' > endpoints.yml"),
        (".env", "echo 'MINE=1' > .env"),
        ("domain/bot.yml", "mkdir domain; echo 'mine: 1' > domain/bot.yml"),
        ("domain/ps7/domain.yml", "mkdir -p domain/ps7; echo 'mine: 1' > domain/ps7/domain.yml"),
        ("actions/__init__.py", "mkdir actions; echo 'import mine' > actions/__init__.py"),
    ],
)
def test_what_somebody_writes_while_it_asks_is_not_lost(
    isolated: pytest.MonkeyPatch, name: str, write: str
) -> None:
    """It stops: what was shown is what is written, or nothing."""
    lay_out(Path(), BOT)

    class Slow(Terminal):
        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            assert size is not None
            shell(write)
            return "y\n"

    isolated.setattr("sys.stdin", Slow())
    isolated.setattr("sys.stdout", Terminal())
    isolated.setattr("sys.stderr", err := Terminal())
    assert main(["init"]) == 1
    said = err.getvalue()
    assert said.endswith(": nothing was changed\n")
    assert name in said
    assert "mine" in Path(name).read_text().lower()
    assert Path("domain.yml").exists()


def test_a_file_that_changes_while_others_are_written_stops_it_there(
    isolated: pytest.MonkeyPatch, cli: Cli
) -> None:
    """What was written is named by the next run, which makes the rest."""
    lay_out(Path(), BOT)
    rename = Path.rename

    def late(path: Path, to: Path) -> Path:
        Path("domain/ps7").mkdir(parents=True, exist_ok=True)
        Path("domain/ps7/domain.yml").write_text("slots: {mine: {type: any}}\n")
        return rename(path, to)

    with isolated.context() as patched:
        patched.setattr(Path, "rename", late)
        code, _, err = cli(INIT)
    assert (code, "domain/ps7/domain.yml has changed meanwhile: what comes after" in err) == (
        1,
        True,
    )
    assert Path("domain/ps7/domain.yml").read_text() == "slots: {mine: {type: any}}\n"


STRICT = "doctor --bot . --only-bot --strict"


@pytest.mark.parametrize("failing", range(6))
def test_the_next_run_makes_what_a_failure_left(
    isolated: pytest.MonkeyPatch, cli: Cli, failing: int
) -> None:
    """Whatever is written by then, the next run makes the rest."""
    lay_out(Path(), BOTS["payee"] | {".env": ""})
    with isolated.context() as full:
        fail_at(full, failing, "rename", "replace")
        code, _, err = cli(INIT)
    assert (code, "cannot be written: No space left on device\n" in err) == (1, True)
    assert cli(INIT).code == 0
    assert cli(STRICT).code == 0
    assert cli("init").out.startswith("Nothing to change")


NEGATED = ".env\nmodels/\n!.env\n"


@pytest.mark.parametrize(
    ("kept", "git", "path", "key", "ignores"),
    [
        ("", "true", None, True, ".env\n"),
        ("", "git init -q", None, True, ".env\n"),
        ("OWN=1\n", "git init -q", None, True, ".env\n"),
        ("OWN=1\n", "git init -q; git add -f .env", None, False, None),
        ("OWN=1\n", "git init -q", "/nowhere", False, None),  # then git does not tell
        ("", "git init -q; echo .env > .git/info/exclude", None, True, None),
        ("", f"printf '{NEGATED}' > .gitignore; git init -q", None, True, f"{NEGATED}.env\n"),
        ("", f"printf '{NEGATED}' > .gitignore", None, True, f"{NEGATED}.env\n"),
        ("", "echo .env > .gitignore", None, True, ".env\n"),
        ("", "git init -q ..; echo .env > ../.gitignore", None, True, None),
        (
            *("", "git init -q ..; echo .env > ../.gitignore; echo '!.env' > .gitignore", None),
            *(True, "!.env\n.env\n"),
        ),
    ],
)
def test_a_key_goes_only_into_a_env_that_git_ignores(
    cli: Cli,
    isolated: pytest.MonkeyPatch,
    *,
    kept: str,
    git: str,
    path: str | None,
    key: bool,
    ignores: str | None,
) -> None:
    """Into a .env that its owner alone reads; into none that git keeps, may keep, or would take.

    A folder that is no repository yet gets the rule too.
    """
    Path("bot").mkdir()
    isolated.chdir("bot")
    lay_out(Path(), BOT | ({".env": kept} if kept else {}))
    shell(git)
    isolated.setenv("PATH", path or os.environ["PATH"])
    out = cli(INIT).out
    env, ignored = Path(".env"), Path(".gitignore")
    assert env.read_text().startswith(kept)
    assert ("PS7_SEAL_KEYS" in env.read_text()) is key
    assert env.stat().st_mode & 0o777 == (0o600 if key else 0o644)
    assert (ignored.read_text() if ignored.exists() else None) == ignores
    assert ("until then its restart loses every customer" in out) is not key
    assert list(Path().glob(".*.*.*")) == []
    isolated.undo()
    isolated.chdir(ignored.parent.resolve())


def test_a_rule_that_git_does_not_follow_stops_the_key(
    cli: Cli, isolated: pytest.MonkeyPatch
) -> None:
    """Git is asked about the very file once the rule is there."""
    lay_out(Path(), BOT)
    shell("git init -q")
    isolated.setattr("actions.ps7.cli.init.changes.is_ignored", lambda _: False)
    code, _, err = cli(INIT)
    assert (code, Path(".env").exists()) == (1, False)
    assert err.startswith("git does not ignore .env, so no secret was written there: set PS7_SEAL")


def test_a_written_file_keeps_its_mode_and_follows_no_link(
    cli: Cli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It keeps its mode; a new one has that of any new file.

    Nothing goes into a link that lies in wait: Git can carry one by the name of a temporary file,
    so that name cannot be known before.
    """
    (outside := tmp_path_factory.mktemp("outside") / "file").write_text("before")
    lay_out(Path(), {**BOT, "endpoints.yml": "a: 1\n"})
    for name in ("..env.rasa-ps7", ".endpoints.yml.rasa-ps7"):
        Path(name).symlink_to(outside)
    Path("endpoints.yml").chmod(0o604)
    before, mask = Path("domain.yml").stat().st_mode, os.umask(0o027)
    try:
        assert cli(INIT).code == 0
    finally:
        os.umask(mask)
    modes = [Path(n).stat().st_mode & 0o777 for n in ("endpoints.yml", "domain/ps7/domain.yml")]
    assert modes == [0o604, 0o640]
    assert Path("domain/bot.yml").stat().st_mode == before
    assert outside.read_text() == "before"
