"""`rasa-ps7 init --undo`: bots as they were, what others edited since; and where a secret goes."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from actions.ps7.cli.command import main
from tests.support.command import Terminal
from tests.support.init_bots import BOTS, fail_at, lay_out, left_to_you

FRAGMENT, JOURNAL = Path("domain/ps7/domain.yml"), Path(".rasa-ps7.json")
STAYS = {".env", ".gitignore"}


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing is set."""
    return isolated


def tree() -> dict[str, bytes]:
    """Read every file but those that stay, and every folder."""
    found = {path.as_posix(): path for path in sorted(Path().rglob("*"))}
    own = {name: path for name, path in found.items() if name not in STAYS and name[:5] != ".git/"}
    return {name: path.read_bytes() if path.is_file() else b"" for name, path in own.items()}


def undo(capsys: pytest.CaptureFixture[str]) -> tuple[int, str, list[str]]:
    """Take it back; return the exit code, what is shown, and what is left to a person."""
    capsys.readouterr()
    code = main(["init", "--undo", "--yes"])
    out, err = capsys.readouterr()
    assert err == ""
    return code, out, left_to_you(out)


@pytest.mark.parametrize("options", [[], ["--at-session-start"], ["--calm", "--pt"]])
@pytest.mark.parametrize("name", BOTS)
def test_a_bot_is_as_it_was(
    name: str, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Byte for byte, folders too; and a second run finds nothing."""
    lay_out(Path(), BOTS[name])
    before = tree()
    main(["init", "--yes", *options])
    assert tree() != before
    code, out, left = undo(capsys)
    assert (code, tree()) == (0, before)
    assert "  deleted  .rasa-ps7.json (nothing is left to undo)\n" in out
    assert re.fullmatch(r"\.env, with PS7_.* stay: delete them once no seal .*", left[0])
    assert left[-1].startswith("train again, with `rasa train`; ")
    code, out, left = undo(capsys)
    assert (code, out.startswith("Nothing to undo.\n"), len(left)) == (0, True, 1)
    assert tree() == before


def test_it_shows_what_it_would_do_and_asks(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `init` does, with the same diffs the other way round."""
    lay_out(Path(), BOTS["actions"])
    main(["init", "--yes"])
    after = tree()
    capsys.readouterr()
    assert main(["init", "--undo", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    for line in ("  moved    domain/bot.yml -> domain.yml\n", "\n-import rasa_ps7\n"):
        assert line in shown
    given.setattr("sys.stdin", Terminal("no\n"))
    given.setattr("sys.stdout", Terminal())
    assert main(["init", "--undo"]) == 1
    assert tree() == after


@pytest.mark.parametrize(
    ("edit", "path", "expected"),
    [
        ("echo import own >> actions/__init__.py", "actions/__init__.py", "import own\n"),
        ("echo a: 1 >> endpoints.yml", "endpoints.yml", "a: 1\n"),
        (
            "sed -i 's/greet,/bye, greet,/' domain/bot.yml",
            "domain.yml",
            BOTS["file"]["domain.yml"].replace("greet,", "bye, greet,"),
        ),
    ],
)
def test_what_others_wrote_beside_it_stays(
    edit: str, path: str, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its own lines go, wherever they are by then, also of a file that it made."""
    lay_out(Path(), BOTS["file"])
    before = tree()
    main(["init", "--yes"])
    subprocess.run(["sh", "-c", edit], check=True)
    code, _, _ = undo(capsys)
    after = tree()
    assert (code, after.pop(path)) == (0, expected.encode())
    before.pop(path, None)
    after.pop("actions", None)
    assert after == before


@pytest.mark.parametrize(
    ("edit", "path", "wrote"),
    [
        (
            "sed -i 's/do Personnalité/da casa/'",
            "domain/bot.yml",
            '“- text: "Olá! Sou a assistente do Personnalité."”',
        ),
        ("sed -i '$ a # Ours.'", "domain/ps7/domain.yml", "it"),
        (
            "sed -i 's/import .*/from rasa_ps7 import x/'",
            "actions/__init__.py",
            "“import rasa_ps7”",
        ),
    ],
)
def test_a_place_that_somebody_edited_is_named_and_left(
    edit: str, path: str, wrote: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rest is taken back; the next run says the same again, until that place is gone."""
    lay_out(Path(), BOTS["file"])
    main(["init", "--yes"])
    subprocess.run(["sh", "-c", f"{edit} {path}"], check=True)
    edited = Path(path).read_bytes()
    for _ in range(2):
        code, _, said = undo(capsys)
        assert code == 1
        assert f"{path} was edited where `init` wrote {wrote}: that is left" in said
        path = path if Path(path).exists() else "domain.yml"
        assert Path(path).read_bytes() == edited
    assert not Path("endpoints.yml").exists()
    assert JOURNAL.exists()


def test_a_domain_stays_in_its_folder_for_as_long_as_others_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rasa would read one of them alone. The next run goes on where this one ended."""
    lay_out(Path(), BOTS["file"])
    before = tree()
    main(["init", "--yes"])
    Path("domain/faq.yml").write_text("intents: [faq]\n")
    code, _, left = undo(capsys)
    assert code == 1
    assert "domain/bot.yml stays where it is, since domain/faq.yml is there" in "\n".join(left)
    assert (Path("domain/bot.yml").exists(), FRAGMENT.exists()) == (True, False)
    Path("domain/faq.yml").unlink()
    assert undo(capsys)[0] == 0
    assert tree() == before


@pytest.mark.parametrize("command", ["init --yes", "init --undo --yes"])
@pytest.mark.parametrize("failing", range(6))
def test_a_failure_in_between_is_no_end(
    given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failing: int, command: str
) -> None:
    """Neither while `init` writes nor while it is undone: the next run finds the rest."""
    lay_out(Path(), BOTS["file"])
    before = tree()
    if "--undo" in command:
        main(["init", "--yes"])
    with given.context() as full:
        fail_at(full, failing, "rename", "unlink" if "--undo" in command else "replace")
        assert main(command.split()) in {0, 1}
    assert undo(capsys)[0] == 0
    assert tree() == before


ENTRY = '[{"path": "%s", "moved_to": null, "before": null, "after": 1, "hunks": []}]'


@pytest.mark.parametrize("journal", ["{}", "[", ENTRY % "/etc/x", ENTRY % "../x"])
def test_a_journal_that_init_did_not_write(
    journal: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may come from anybody who can write to the repository: nothing outside is touched."""
    lay_out(Path(), {**BOTS["file"], JOURNAL.name: journal})
    for command in (["init", "--undo", "--yes"], ["init", "--yes"]):
        assert main(command) == 1
        err = capsys.readouterr().err
        assert err == ".rasa-ps7.json is not as `init` wrote it: nothing was changed\n"


def test_what_names_the_plugin_still_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Rules and code that a person wrote, and what says where the domain was."""
    rule = "rules:\n- rule: r\n  steps: [{action: action_ps7_verify}]\n" * 8
    made = {
        "data/more.yml": rule.replace("rules:", "# rules:"),
        "Makefile": "x:\n\trasa train -d domain\n",
        "actions/own.py": "from rasa_ps7 import handover\n",
    }
    lay_out(Path(), {**BOTS["file"], **made})
    main(["init", "--yes"])
    _, _, left = undo(capsys)
    named = ", ".join(f"data/more.yml:{line}" for line in range(3, 25, 3))
    assert f"these lines name the plugin: {named} and 1 more" in left
    assert "these lines say where the domain was: Makefile:2" in left


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "state", "ignores"),
    [
        ("", "true", None),
        ("", "git init -q", ".env\n"),
        ("OWN=1\n", "git init -q", ".env\n"),
        ("OWN=1\n", "git init -q; git add -f .env", None),
        ("OWN=1\n", "no git", None),
    ],
)
def test_where_a_key_goes(
    given: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kept: str,
    state: str,
    ignores: str | None,
) -> None:
    """Into a .env that its owner alone reads; into none that git keeps, or may keep."""
    key = "add" not in state and state != "no git"
    lay_out(Path(), BOTS["file"] | ({".env": kept} if kept else {}))
    if state == "no git":
        subprocess.run(["git", "init", "-q"], check=True)
        given.setenv("PATH", "/nowhere")
    else:
        subprocess.run(["sh", "-c", state], check=True)
    main(["init", "--yes"])
    env, ignored = Path(".env"), Path(".gitignore")
    assert env.read_text().startswith(kept)
    assert ("PS7_SEAL_KEYS" in env.read_text()) is key
    assert env.stat().st_mode & 0o777 == (0o600 if key else 0o644)
    assert (ignored.read_text() if ignored.exists() else None) == ignores
    assert ("until then its restart loses every customer" in capsys.readouterr().out) is not key
    assert "PS7_SEAL_KEYS" not in JOURNAL.read_text()
    assert list(Path().glob(".*.*.*")) == []


def test_a_link_that_lies_in_wait_gets_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Git can carry one by the name of a temporary file: that name cannot be known before."""
    outside = tmp_path_factory.mktemp("outside") / "file"
    outside.write_text("before")
    lay_out(Path(), BOTS["file"])
    for name in ("..env.rasa-ps7", ".endpoints.yml.rasa-ps7"):
        Path(name).symlink_to(outside)
    assert main(["init", "--yes"]) == 0
    assert outside.read_text() == "before"
    assert Path("config.yml").stat().st_mode == Path("endpoints.yml").stat().st_mode


def test_a_mode_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Of what is changed; what is new has that of any new file."""
    lay_out(Path(), BOTS["actions"])
    Path("endpoints.yml").write_text("a: 1\n")
    Path("endpoints.yml").chmod(0o640)
    before, mask = Path("domain.yml").stat().st_mode, os.umask(0o027)
    try:
        main(["init", "--yes"])
    finally:
        os.umask(mask)
    assert Path("endpoints.yml").stat().st_mode & 0o777 == 0o640
    assert Path("domain/bot.yml").stat().st_mode == before
    assert FRAGMENT.stat().st_mode & 0o777 == 0o640
    capsys.readouterr()
