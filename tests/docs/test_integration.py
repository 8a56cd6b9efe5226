"""docs/integration.md lists the names that we export, and what it shows does what it says."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest
from rasa_sdk import Action
from rasa_sdk.utils import all_subclasses

from actions import ps7 as package
from actions.ps7 import ActionPS7Context, CustomerContext
from actions.ps7.dialogue import runtime
from actions.ps7.testing import BackgroundSimulator, Conversation
from tests.docs.documents import document, spans_in
from tests.docs.python_code import executed, path_of
from tests.matrix.cells import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from actions.ps7.testing.rasa_in_memory.domain import DomainSource

PAGE = "docs/integration.md"


@pytest.fixture
def ps7(monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundSimulator]:
    """Stand in for PS7, for a plugin that knows nothing of the tests before."""
    monkeypatch.setattr(runtime, "_runtimes", [])
    with BackgroundSimulator() as simulator:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        yield simulator
        runtime.close_all()


@pytest.fixture
def shown(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Execute the file of a bot that the test names; give the one thing that it defines."""
    path, name = request.param
    (code,) = (block.code for block in document(PAGE).blocks if path_of(block) == path)
    with executed(code) as names:
        yield names[name]


def test_every_name_that_is_exported_is_listed() -> None:
    """And no other."""
    table = document(PAGE).table("name", "what it is")
    listed = [name for cell in table.column(0) for name in spans_in(cell)]
    assert sorted(listed) == sorted(package.__all__)


def test_every_attribute_of_a_customer_is_listed() -> None:
    """Fields and properties."""
    table = document(PAGE).table("name", "what it is")
    (row,) = (row for row in table.rows if row[0] == "`CustomerContext`")
    listed = {name.partition("(")[0] for name in spans_in(row[1])} - {"repr"}
    properties = {
        name for name, kind in vars(CustomerContext).items() if isinstance(kind, property)
    }
    own = properties - {"model_extra", "model_fields_set"}
    assert listed == {*CustomerContext.model_fields, *own, "field"}


@pytest.mark.parametrize("page", [PAGE, "README.md", "README.pt-BR.md"])
def test_the_jsonschema_to_pin_is_the_one_pinned_here(page: str) -> None:
    """In the environment of the tests' Rasa, of the image, and of Rasa with the plugin in it."""
    (said,) = (span for span in spans_in(document(page).text) if span.startswith("jsonschema=="))
    for file in (RASA_PINS, ADDED_TO_RASA):
        assert said == f"jsonschema=={pinned(file)['jsonschema']}"


BALANCE = ("actions/balance.py", "ActionAnswerBalance")
SESSION = ("actions/session.py", "ActionSessionStart")
SEGMENTS = ("actions/segments.py", "segment_of")


@pytest.mark.parametrize("shown", [BALANCE], indirect=True, ids=["balance"])
@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("ana", "Agência 0341, conta 00123456"),
        ("bruno", "Para continuar, valide o seu token no aplicativo do banco e me chame de novo."),
        (None, "Para continuar, valide o seu token no aplicativo do banco e me chame de novo."),
    ],
)
async def test_the_balance_is_for_whom_the_page_says(
    ps7: BackgroundSimulator, shown: type[Action], who: str | None, said: str
) -> None:
    """The action that reads the seal and no slot."""
    bot = Conversation(ROOT / "domain.yml", [ActionPS7Context, shown])
    await bot.user("qual meu saldo?", metadata={"contextId": who})
    assert (await bot.run("action_answer_balance")).texts == [said]
    assert len(ps7.requests) == (1 if who else 0)


@pytest.mark.parametrize("shown", [SESSION], indirect=True, ids=["session"])
async def test_a_session_starts_with_its_customer(
    ps7: BackgroundSimulator, shown: type[Action]
) -> None:
    """Before any action of the first turn has run."""
    domain: list[DomainSource] = [{"actions": ["action_session_start"]}, ROOT / "domain.yml"]
    bot = Conversation(domain, [ActionPS7Context, shown])
    opened = await bot.user("oi", metadata={"contextId": "ana"})
    assert opened.events[0]["event"] == "session_started"
    assert opened.slots["segment"] == "Personnalité"
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]


@pytest.mark.parametrize("shown", [SEGMENTS], indirect=True, ids=["segments"])
async def test_a_lookup_of_ones_own(
    ps7: BackgroundSimulator, shown: Callable[[str], Awaitable[str]]
) -> None:
    """With its end, good or bad."""
    assert await shown("ana") == "Personnalité"
    assert await shown("http-403") == "nobody: denied, forbidden"
    assert len(ps7.requests) == 2


def test_no_action_that_was_shown_outlives_its_test() -> None:
    """Else rasa_sdk would register it in a test that comes later."""
    gc.collect()
    assert [each for each in all_subclasses(Action) if each.__module__ == "actions.shown"] == []
