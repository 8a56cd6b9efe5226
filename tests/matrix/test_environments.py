"""The environments: made from pins and made anew when these change; Rasa's own stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.matrix import __main__ as command
from tests.matrix import environments
from tests.matrix.environments import Environment, NotMade

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def rasa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give what stands for Rasa's environment, whose Python does nothing, and does it well."""
    folder = tmp_path / "rasa"
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\n", "utf-8")
    python.chmod(0o755)
    (folder / "package.py").write_text("as it was\n", "utf-8")
    (folder / "ready").write_text("", "utf-8")
    monkeypatch.setattr(environments, "RASA", python)
    monkeypatch.setattr(environments, "HOME", tmp_path / "matrix")
    return folder


def test_a_copy_of_rasas_environment_is_stamped_and_the_original_is_not(
    rasa: Path, tmp_path: Path
) -> None:
    """The files are the same ones on the disk, the stamp excepted: writing it changes no other."""
    (tmp_path / "pins.txt").write_text("pydantic==2\n", "utf-8")
    inside = Environment("inside", str(tmp_path / "pins.txt"), "3.10", rasa_below=True)
    assert not inside.stands

    inside.make()

    assert inside.stands
    assert (rasa / "ready").read_text("utf-8") == ""
    copied = inside.python.parent.parent / "package.py"
    assert copied.samefile(rasa / "package.py")
    (tmp_path / "pins.txt").write_text("pydantic==3\n", "utf-8")
    assert not inside.stands, "it was made from other pins"


def test_where_pip_fails_nothing_stands_and_its_last_line_says_why(
    rasa: Path, tmp_path: Path
) -> None:
    """Half an environment is none."""
    (rasa / "bin" / "python").write_text("#!/bin/sh\necho first >&2\necho why >&2\nexit 1\n")
    (tmp_path / "pins.txt").write_text("", "utf-8")
    inside = Environment("inside", str(tmp_path / "pins.txt"), "3.10", rasa_below=True)

    with pytest.raises(NotMade, match=r"^why$"):
        inside.make()

    assert not inside.stands


def test_a_python_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, without the advice of `scripts/find-python`: several may be missing."""
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # a short search
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr(environments, "HOME", tmp_path / "matrix")
    with pytest.raises(NotMade, match=r"^there is no Python 3\.99 here$"):
        Environment("newest-3.99", "requirements/runtime.txt", "3.99").make()


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("1", 1)])
def test_what_cannot_be_made_is_named_and_is_a_failure_in_ci(
    ci: str,
    code: int,
    rasa: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Elsewhere its cells are skipped."""
    (rasa / "bin" / "python").unlink()
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(command, "every", lambda: [environments.INSIDE_RASA])

    assert command.main() == code

    why = f"{environments.RASA} does not exist: `make conversation` makes Rasa's environment"
    assert capsys.readouterr().out.splitlines() == [
        "Setting up 1 environment(s) in matrix: some minutes and 1 GB, once",
        f"  1 of 1  in-rasa could not be made: {why}",
    ]
