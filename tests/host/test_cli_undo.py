"""`rasa-ps7 init --undo`: bots as they were, what others edited since; and where a secret goes."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.command import Cli
from tests.support.init_bots import BOTS, DOMAIN, fail_at, lay_out, left_to_you, tree

FRAGMENT, JOURNAL = Path("domain/ps7/domain.yml"), Path(".rasa-ps7.json")
STAYS = {".env", ".gitignore"}
STRICT = "doctor --bot . --only-bot --strict"
RULE = "rules: [{rule: Balance, steps: [{intent: pay}, {action: action_ps7_context}]}]\n"


def undo(cli: Cli) -> tuple[object, str, list[str]]:
    """Take it back; return the exit code, what is shown, and what is left to a person."""
    code, out, err = cli("init --undo --yes")
    assert err == ""
    return code, out, left_to_you(out)


@pytest.mark.parametrize(
    ("options", "files"),
    [("", {}), ("--at-session-start", {"data/rules.yml": RULE}), ("--calm --pt", {})],
)
@pytest.mark.parametrize("name", BOTS)
def test_a_bot_is_as_it_was(name: str, options: str, files: dict[str, str], cli: Cli) -> None:
    """Byte for byte, folders too; and a second run finds nothing. The doctor was content before."""
    lay_out(Path(), {**BOTS[name], **files})
    before = tree(STAYS)
    cli(f"init --yes {options}")
    assert cli(STRICT).code == 0
    made = tree()
    code, shown, _ = cli("init --undo --dry-run")
    assert (code, tree()) == (0, made)
    code, out, left = undo(cli)
    assert (code, out, tree(STAYS)) == (0, shown, before)
    assert "\n-import rasa_ps7\n" in out or "  deleted  actions/__init__.py" in out
    assert ("  moved    domain/bot.yml -> domain.yml\n" in out) is (name != "folder")
    assert "  deleted  .rasa-ps7.json (nothing is left to undo)\n" in out
    assert re.fullmatch(r"\.env, with PS7_.* stay: delete them once no seal .*", left[0])
    assert left[-1].startswith("train again, with `rasa train`; ")
    code, out, left = undo(cli)
    assert (code, out.startswith("Nothing to undo.\n"), len(left)) == (0, True, 1 + len(files))
    assert tree(STAYS) == before


GREETING = '- text: "Olá! Sou a assistente do Personnalité."'
SED = "sed -i 's/greet,/bye, greet,/' domain/bot.yml"


@pytest.mark.parametrize(
    ("edit", "path", "expected"),
    [
        ("echo import own >> actions/__init__.py", "actions/__init__.py", "import own\n"),
        ("echo a: 1 >> endpoints.yml", "endpoints.yml", "a: 1\n"),
        (SED, "domain.yml", DOMAIN.replace("greet,", "bye, greet,")),
    ],
)
def test_what_others_wrote_beside_it_stays(edit: str, path: str, expected: str, cli: Cli) -> None:
    """Its own lines go, wherever they are by then, also of a file that it made."""
    lay_out(Path(), BOTS["file"])
    before = tree(STAYS)
    cli("init --yes")
    subprocess.run(["sh", "-c", edit], check=True)
    code, _, _ = undo(cli)
    after = tree(STAYS)
    assert (code, after.pop(path)) == (0, expected)
    before.pop(path, None)
    after.pop("actions", None)
    assert after == before


@pytest.mark.parametrize(
    ("edit", "path", "wrote"),
    [
        ("s/do Personnalité/da casa/", "domain/bot.yml", f"“{GREETING}”"),
        ("$ a # Ours.", "domain/ps7/domain.yml", "it"),
        ("s/import .*/from rasa_ps7 import x/", "actions/__init__.py", "“import rasa_ps7”"),
    ],
)
def test_a_place_that_somebody_edited_is_named_and_left(
    edit: str, path: str, wrote: str, cli: Cli
) -> None:
    """The rest is taken back; the next run says the same again, until that place is gone."""
    lay_out(Path(), BOTS["file"])
    cli("init --yes")
    subprocess.run(["sed", "-i", edit, path], check=True)
    edited = Path(path).read_bytes()
    for _ in range(2):
        code, _, said = undo(cli)
        assert code == 1
        assert f"{path} was edited where `init` wrote {wrote}: that is left" in said
        path = path if Path(path).exists() else "domain.yml"
        assert Path(path).read_bytes() == edited
    assert not Path("endpoints.yml").exists()
    assert JOURNAL.exists()


def test_a_domain_stays_in_its_folder_for_as_long_as_others_are_there(
    cli: Cli,
) -> None:
    """Rasa would read one of them alone. The next run goes on where this one ended."""
    lay_out(Path(), BOTS["file"])
    before = tree(STAYS)
    cli("init --yes")
    Path("domain/faq.yml").write_text("intents: [faq]\n")
    code, _, left = undo(cli)
    assert code == 1
    assert "domain/bot.yml stays where it is, since domain/faq.yml is there" in "\n".join(left)
    assert (Path("domain/bot.yml").exists(), FRAGMENT.exists()) == (True, False)
    Path("domain/faq.yml").unlink()
    assert undo(cli)[0] == 0
    assert tree(STAYS) == before


INIT, UNDO = "init", "init --undo"


@pytest.mark.parametrize(
    ("broken", "goes_on", "failing"),
    [
        *((INIT, goes_on, step) for goes_on in (INIT, UNDO) for step in range(6)),
        *((UNDO, UNDO, step) for step in range(5)),
    ],
)
def test_a_failure_in_between_is_no_end(
    isolated: pytest.MonkeyPatch, cli: Cli, failing: int, broken: str, goes_on: str
) -> None:
    """Whatever is written by then, the next run makes the rest, or takes all of it back."""
    lay_out(Path(), BOTS["payee"] | {".env": ""})
    before = tree(STAYS)
    if broken == UNDO:
        cli("init --yes")
    with isolated.context() as full:
        fail_at(full, failing, "rename", "unlink" if broken == UNDO else "replace")
        code, _, err = cli(f"{broken} --yes")
    assert (code, "cannot be written: No space left on device\n" in err) == (1, True)
    assert cli(f"{goes_on} --yes").code == 0
    if goes_on == INIT:
        assert cli(STRICT).code == 0
        assert cli("init").out.startswith("Nothing to change")
        undo(cli)
    assert tree(STAYS) == before


ENTRY = '[{"path": "%s", "moved_to": null, "before": null, "after": 1, "hunks": []}]'


@pytest.mark.parametrize("journal", ["{}", "[", ENTRY % "/etc/x", ENTRY % "../x"])
def test_a_journal_that_init_did_not_write(journal: str, cli: Cli) -> None:
    """It may come from anybody who can write to the repository: nothing outside is touched."""
    lay_out(Path(), {**BOTS["file"], JOURNAL.name: journal})
    refused = ".rasa-ps7.json is not as `init` wrote it: nothing was changed\n"
    for line in ("init --undo --yes", "init --yes"):
        assert cli(line) == (1, "", refused)


def test_what_names_the_plugin_still_is_listed(cli: Cli) -> None:
    """Rules and code that a person wrote, and what says where the domain was."""
    rule = "rules:\n- rule: r\n  steps: [{action: action_ps7_verify}]\n" * 8
    made = {
        "data/more.yml": rule.replace("rules:", "# rules:"),
        "Makefile": "x:\n\trasa train -d domain\n",
        "actions/own.py": "from rasa_ps7 import handover\n",
    }
    lay_out(Path(), {**BOTS["file"], **made})
    cli("init --yes")
    _, _, left = undo(cli)
    named = ", ".join(f"data/more.yml:{line}" for line in range(3, 25, 3))
    assert f"these lines name the plugin: {named} and 1 more" in left
    assert "these lines say where the domain was: Makefile:2" in left


# -- secrets --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kept", "git", "path", "key", "ignores"),
    [
        ("", "true", None, True, None),
        ("", "git init -q", None, True, ".env\n"),
        ("OWN=1\n", "git init -q", None, True, ".env\n"),
        ("OWN=1\n", "git init -q; git add -f .env", None, False, None),
        ("OWN=1\n", "git init -q", "/nowhere", False, None),  # then git does not tell
    ],
)
def test_where_a_key_goes(
    cli: Cli,
    isolated: pytest.MonkeyPatch,
    *,
    kept: str,
    git: str,
    path: str | None,
    key: bool,
    ignores: str | None,
) -> None:
    """Into a .env that its owner alone reads; into none that git keeps, or may keep."""
    lay_out(Path(), BOTS["file"] | ({".env": kept} if kept else {}))
    subprocess.run(["sh", "-c", git], check=True)
    isolated.setenv("PATH", path or os.environ["PATH"])
    out = cli("init --yes").out
    env, ignored = Path(".env"), Path(".gitignore")
    assert env.read_text().startswith(kept)
    assert ("PS7_SEAL_KEYS" in env.read_text()) is key
    assert env.stat().st_mode & 0o777 == (0o600 if key else 0o644)
    assert (ignored.read_text() if ignored.exists() else None) == ignores
    assert ("until then its restart loses every customer" in out) is not key
    assert "PS7_SEAL_KEYS" not in JOURNAL.read_text()
    assert list(Path().glob(".*.*.*")) == []


def test_how_a_file_is_written(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> None:
    """It keeps its mode; a new one has that of any new file.

    Nothing goes into a link that lies in wait: Git can carry one by the name of a temporary file,
    so that name cannot be known before.
    """
    (outside := tmp_path_factory.mktemp("outside") / "file").write_text("before")
    lay_out(Path(), {**BOTS["file"], "endpoints.yml": "a: 1\n"})
    for name in ("..env.rasa-ps7", ".endpoints.yml.rasa-ps7"):
        Path(name).symlink_to(outside)
    Path("endpoints.yml").chmod(0o604)
    before, mask = Path("domain.yml").stat().st_mode, os.umask(0o027)
    try:
        assert cli("init --yes").code == 0
    finally:
        os.umask(mask)
    modes = [Path(name).stat().st_mode & 0o777 for name in ("endpoints.yml", FRAGMENT)]
    assert modes == [0o604, 0o640]
    assert Path("domain/bot.yml").stat().st_mode == before
    assert outside.read_text() == "before"
