"""Every card: what the bot answers, and what the panel shows beside it.

Each is taken in one of the two languages.
"""

from __future__ import annotations

import asyncio
from itertools import cycle

import pytest

from actions.ps7.testing import PERSONAS
from tests.conversation.spoken import BALANCES, NO_BALANCE, greeting
from tests.webchat.cast import CALL, HELD, NO_ANSWER, NOT_ASKED, OUTCOMES, SEALED, TROUBLES, known
from tests.webchat.visit import Visitors

pytestmark = [pytest.mark.conversation, pytest.mark.asyncio(loop_scope="session")]

LANGUAGES = ("pt-BR", "en")


@pytest.mark.parametrize(("name", "language"), [*zip(PERSONAS, cycle(LANGUAGES))])
async def test_a_customer(visitors: Visitors, page_url: str, name: str, language: str) -> None:
    """The bot greets by segment and answers as far as the customer is known; PS7 is asked once."""
    visit = await visitors(page_url)

    await visit.arrive(name, language)
    await visit.hears(*greeting(PERSONAS[name]))
    if name == "iara":  # what PS7 said of her holds for two seconds
        await asyncio.sleep(2.1)
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*greeting(PERSONAS[name]), *BALANCES[name])
    first, second = await visit.turns()

    *slots, expires, context = first["slots"]
    assert first["status"] == "ok"
    assert first["calls"] == [[CALL, "200"]]
    assert first["ends"] == [["ok", None]]
    assert 0 <= first["ms"][0] < 2000
    assert slots == [[*row, "changed"] for row in known(name, language)]
    assert expires[0] == "ps7_expires_at"
    assert context == ["ps7_context", SEALED[language], "", "changed"]

    assert (second["number"], second["said"], second["status"]) == ("2", "qual meu saldo?", "ok")
    if name == "iara":
        assert (second["calls"], second["plain"]) == ([[CALL, "200"]], [])
    else:
        assert (second["calls"], second["plain"]) == ([], [HELD[language]])
        assert second["slots"] == [[*row, ""] for *row, _ in first["slots"]]
    assert (first["open"], second["open"]) == (False, True)
    assert await visit.overflowing() == []


@pytest.mark.parametrize(("name", "language"), [*zip(TROUBLES, cycle(LANGUAGES))])
async def test_no_customer(visitors: Visitors, page_url: str, name: str, language: str) -> None:
    """An unknown visitor, or PS7 in trouble: the bot keeps to its rules, the panel says why."""
    visit, trouble = await visitors(page_url), TROUBLES[name]

    await visit.arrive(name, language)
    await visit.hears(*trouble.greeting)
    await visit.say("qual meu saldo?", 2)
    await visit.hears(*trouble.greeting, *NO_BALANCE[trouble.status])
    first, second = await visit.turns()

    answers = trouble.answers or NO_ANSWER[language]
    asked = ([[CALL, answers]], [[trouble.status, trouble.reason]]) if trouble.reason else ([], [])
    assert [first["status"], second["status"]] == [trouble.status] * 2
    assert first["word"] == OUTCOMES[language].get(trouble.status, trouble.status)
    assert (first["calls"], first["ends"]) == asked
    assert second["ends"] == (asked[1] if trouble.again else [])
    if trouble.again:  # with fewer attempts, since a lookup has just failed
        [[call, answered]] = second["calls"]
        assert (call, answers.startswith(answered)) == (CALL, True)
    else:
        assert second["calls"] == []
        assert second["plain"][0] == NOT_ASKED[trouble.status][language]
    assert [slot for slot, *_ in first["slots"]] == (["ps7_context"] if trouble.reason else [])
    assert await visit.overflowing() == []
