"""What the doctor says about responses that quote our slots."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.doctor import bot_of, complaints, sound

BEFORE = (
    "where the action server is away, Rasa fills in what is left of the turn before, and an "
    "earlier customer's data are told"
)


def quoting(*variations: object, slots: tuple[str, ...] = ("account", "agency")) -> dict[str, Any]:
    """Return a domain that declares these slots too, and has one response."""
    declared: dict[str, Any] = {name: {} for name in slots}
    return {**sound(**declared), "responses": {"utter_account": list(variations)}}


def quotes(slots: str) -> list[tuple[str, str, str]]:
    """Return what is found in that response."""
    return [("warning", "response-quotes", f"response utter_account quotes {slots}: {BEFORE}")]


@pytest.mark.parametrize(
    "variation",
    [
        {"text": "Conta {account}"},
        {"text": "Olá", "buttons": [{"title": "Conta {account}", "payload": "/ok"}]},
        {"text": "Olá", "quick_replies": [{"title": "{account}", "payload": "/ok"}]},
        {"custom": {"blocks": [{"text": {"text": "{account}"}}]}},
        {"image": "https://bank.example/{account}.png"},
        {"attachment": {"file": "{account}.pdf"}},
        {
            "text": "Conta {account}",
            "condition": [{"type": "slot", "name": "ps7_status", "value": "ok"}],
        },
        {"text": "Conta {account}", "channel": "slack"},
        {"text": "Conta {{{account}}}"},
    ],
)
def test_a_response_that_quotes_what_tells_a_customer(variation: dict[str, Any]) -> None:
    """Wherever Rasa fills a variable in, whatever the condition: it reads slots, too."""
    assert complaints(bot_of(quoting({"text": "Olá"}, variation))) == quotes("account")


def test_each_response_is_named_once_with_all_that_it_quotes() -> None:
    """In the order in which they stand there."""
    text = "Agência {agency}, conta {account}"
    found = complaints(bot_of(quoting({"text": text}, {"text": "Conta {account}"})))
    assert found == quotes("agency and account")


@pytest.mark.parametrize(
    "slot",
    [
        *("cpf", "cpf_masked", "agency", "account", "phone_number", "id_document"),
        *("ps7_key", "ps7_decoded_context_id", "ps7_payload", "u_cpf", "u_whatever"),
    ],
)
def test_what_tells_who_somebody_is(slot: str) -> None:
    """The masked CPF too: it is enough of a CPF for the wrong reader."""
    domain = quoting({"text": f"{{{slot}}}"}, slots=(slot,))
    domain["slots"][slot]["type"] = "any"
    assert complaints(bot_of(domain)) == quotes(slot)


@pytest.mark.parametrize(
    "slot",
    [
        *("ps7_status", "ps7_context", "segment", "ivr_option", "ps7_expires_at"),
        *("conta_verificada", "balance"),
    ],
)
def test_what_tells_nobody(slot: str) -> None:
    """A segment, how a lookup ended, until when it holds; and what is no slot of ours."""
    assert complaints(bot_of(quoting({"text": f"{{{slot}}}"}, slots=()))) == []


def test_a_slot_that_is_not_declared_is_quoted_by_nobody() -> None:
    """Rasa leaves such a text as it is; an action may fill it in."""
    assert complaints(bot_of(quoting({"text": "Conta {account}"}, slots=()))) == []


def test_a_slot_counts_by_the_name_that_the_bot_gave_it() -> None:
    """And a default name that was renamed is the bot's own."""
    renames = {"account": "conta"}
    both = quoting({"text": "{conta} {account}"}, slots=("account", "conta"))
    assert complaints(bot_of(both), renames) == quotes("conta")


@pytest.mark.parametrize(
    "variation",
    [
        {"text": "Conta {{account}}"},
        {"text": "Conta {account\n}"},
        {"text": "Conta { account }"},
        {"text": "Conta account"},
        {"id": "{account}"},
        {"metadata": {"for": "{account}"}},
        {"text": None},
        "Conta {account}",
    ],
)
def test_what_rasa_does_not_fill_in(variation: object) -> None:
    """Other braces, other keys, and what is no response."""
    assert complaints(bot_of(quoting(variation))) == []
