"""Everybody who has a card: what the bot answers, and what the panel shows beside it.

Each comes in one of the two languages, on one of the two screens; all combinations come up.
"""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import TYPE_CHECKING

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import NO_BALANCE
from tests.webchat.cast import (
    BALANCES,
    CALL,
    HELD,
    NO_ANSWER,
    NOT_ASKED,
    SEALED,
    TROUBLES,
    greeting,
    known,
)

if TYPE_CHECKING:
    from tests.webchat.visit import Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

_WAYS = cycle([("pt-BR", "desktop"), ("en", "phone"), ("pt-BR", "phone"), ("en", "desktop")])
CUSTOMERS = [(name, *way) for name, way in zip(PERSONAS, _WAYS, strict=False)]
OTHERS = [(name, *way) for name, way in zip(TROUBLES, _WAYS, strict=False)]


@pytest.mark.parametrize(("name", "language", "size"), CUSTOMERS)
async def test_a_customer(
    visitors: Visitors, page_url: str, name: str, language: str, size: str
) -> None:
    """The bot greets by segment and answers as far as the customer is known; PS7 is asked once."""
    visit = await visitors(page_url, size)

    await visit.arrive(name, language)
    await visit.hears(*greeting(name))
    if name == "iara":  # what PS7 said of her holds for two seconds
        await asyncio.sleep(2.1)
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*greeting(name), *BALANCES[name])
    first, second = await visit.turns()

    *slots, expires, context = first["slots"]
    assert first["status"] == "ok"
    assert first["calls"] == [[CALL, "200"]]
    assert first["ends"] == [["ok", None]]
    assert 0 <= first["ms"][0] < 2000
    assert slots == [[slot, value, "changed"] for slot, value in known(name)]
    assert expires[0] == "ps7_expires_at"
    assert context == ["ps7_context", SEALED[language], "changed"]

    assert (second["number"], second["said"], second["status"]) == ("2", "qual meu saldo?", "ok")
    if name == "iara":
        assert (second["calls"], second["plain"]) == ([[CALL, "200"]], [])
    else:
        assert (second["calls"], second["plain"]) == ([], [HELD[language]])
        assert second["slots"] == [[slot, value, ""] for slot, value, _ in first["slots"]]
    assert (first["open"], second["open"]) == (False, True)
    assert await visit.overflowing() == []


@pytest.mark.parametrize(("name", "language", "size"), OTHERS)
async def test_somebody_else(
    visitors: Visitors, page_url: str, name: str, language: str, size: str
) -> None:
    """Nobody known, or PS7 in trouble: the bot keeps to its rules, and the panel says why."""
    visit, trouble = await visitors(page_url, size), TROUBLES[name]

    await visit.arrive(name, language)
    await visit.hears(*trouble.greeting)
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*trouble.greeting, *NO_BALANCE[trouble.status])
    first, second = await visit.turns()

    answers = trouble.answers or NO_ANSWER[language]
    asked = {
        "calls": [[CALL, answers]] if trouble.reason else [],
        "ends": [[trouble.status, trouble.reason]] if trouble.reason else [],
    }
    left_alone: dict[str, list[object]] = {"calls": [], "ends": []}
    assert [first["status"], second["status"]] == [trouble.status] * 2
    assert {"calls": first["calls"], "ends": first["ends"]} == asked
    assert {"calls": second["calls"], "ends": second["ends"]} == (
        asked if trouble.again else left_alone
    )
    if not trouble.again:
        assert second["plain"][0] == NOT_ASKED[trouble.status][language]
    assert [slot for slot, *_ in first["slots"]] == (["ps7_context"] if trouble.reason else [])
    assert await visit.overflowing() == []
