"""The examples of the API's pages, in the docstring of each name that a bot or its tests import.

They run as they are shown, as in `python -m asyncio`. The pages say which names are there already.
"""

from __future__ import annotations

import ast
import gc
import inspect
import os
import sys
from collections.abc import Awaitable
from contextlib import redirect_stdout
from doctest import ELLIPSIS, DocTestParser, OutputChecker
from io import StringIO
from itertools import pairwise
from types import ModuleType
from typing import Any

import pytest

from actions import ps7 as plugin
from actions.ps7 import testing
from actions.ps7.testing import BackgroundSimulator, CustomerConversation, pytest_plugin
from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

NAMES = [(package, name) for package in (plugin, testing) for name in package.__all__]
MODULES = {"FAULTS": "faults", "PERSONAS": "personas"}
"""Where the names are assigned that are neither classes nor functions: their docstring is below."""
ps7_settings = pytest.fixture(pytest_plugin.ps7_settings)
ps7 = pytest.fixture(pytest_plugin.ps7)
conversation = pytest.fixture(pytest_plugin.conversation)
bot = pytest.fixture(pytest_plugin.bot)


@pytest.fixture
def ps7_bot() -> dict[str, Any]:
    actions = [plugin.ActionPS7Context, plugin.ActionPS7Verify, plugin.ActionPS7Forget]
    return {"domain": ROOT / "domain.yml", "actions": actions}


def docstring(package: ModuleType, name: str) -> str:
    """Return what is said of a name."""
    if name not in MODULES:
        return inspect.getdoc(getattr(package, name)) or ""
    source = inspect.getsource(sys.modules[f"{package.__name__}.{MODULES[name]}"])
    for assigned, below in pairwise(ast.parse(source).body):
        if isinstance(assigned, ast.AnnAssign) and ast.unparse(assigned.target) == name:
            return inspect.cleandoc(ast.literal_eval(ast.unparse(below)))
    raise KeyError(name)


async def run(source: str, names: dict[str, Any]) -> str:
    """Run what is typed at a prompt, and return what that shows."""
    code = compile(source, "shown", "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    with redirect_stdout(StringIO()) as shown:
        running = eval(code, names)  # noqa: S307 - ours
        if isinstance(running, Awaitable):
            await running
    return shown.getvalue()


@pytest.mark.parametrize(("package", "name"), NAMES, ids=[name for _, name in NAMES])
async def test_the_example_of_a_name_shows_what_it_says(
    package: ModuleType,
    name: str,
    bot: CustomerConversation,
    ps7: BackgroundSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each has one, and what follows a prompt is what comes of it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    await bot.arrives("ana")
    there = {each: getattr(package, each) for package, each in NAMES}
    there |= {"os": os, "bot": bot, "ps7": ps7, "tracker": bot.tracker}
    there["customer"] = plugin.verified_context(bot.tracker)
    examples = DocTestParser().get_examples(docstring(package, name))
    assert examples
    for each in examples:
        shown = await run(each.source, there)
        assert OutputChecker().check_output(each.want, shown, ELLIPSIS), f"{each.source}{shown}"
    there.clear()
    gc.collect()  # the subclass of an action, which rasa_sdk would find
