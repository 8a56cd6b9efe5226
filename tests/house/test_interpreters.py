"""`pytest` without make: it finds the environments beside the tree, and what it keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.conversation.fixtures import models_folder
from tests.support import needs
from tests.support.interpreters import rasa_python, usable, where
from tests.support.processes import ROOT


def test_pytest_alone_finds_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the tree, without make; a variable names another, and a blank one names none."""
    for variable, name in (("PS7_RASA_PYTHON", ".venv-rasa"), ("PS7_FLOOR_PYTHON", ".venv-floor")):
        beside = ROOT / name / "bin" / "python"
        monkeypatch.delenv(variable, raising=False)
        assert where(variable, name) == beside
        monkeypatch.setenv(variable, "")
        assert where(variable, name) == beside
        monkeypatch.setenv(variable, sys.executable)
        assert where(variable, name) == Path(sys.executable)
    assert rasa_python() == Path(sys.executable)
    monkeypatch.setattr(needs, "_COMPLETE", False)
    monkeypatch.setenv("PS7_RASA_PYTHON", "nowhere")
    for asked in (rasa_python, lambda: usable(Path("nowhere"))):
        with pytest.raises(pytest.skip.Exception, match=r"needs .* Python 3\.10 \(pyenv .*make"):
            asked()


@pytest.mark.slow
def test_models_are_kept_or_not(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Beside what pytest keeps; and for one run with `-p no:cacheprovider`."""
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function")
    kept = models_folder(pytester.parseconfigure(), tmp_path_factory)
    assert kept == pytester.path / ".pytest_cache" / "d" / "rasa-models"
    alone = models_folder(pytester.parseconfigure("-p", "no:cacheprovider"), tmp_path_factory)
    assert alone.parent == tmp_path_factory.getbasetemp()
