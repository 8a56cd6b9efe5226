"""Users of the bot, and what each of them must hear.

A user sends messages over Rasa's REST channel, each to another Rasa server than the one before, and
each contextId in a token that the back-end signs. Where the answer is not the one that it must be,
they say it again, without the contextId: the channel has sent it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp

from benchmarks.scale.customers import Customer
from benchmarks.scale.proxy import SERVER_HEADER, TURN_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Sign = Callable[[str, str], str]
    """From a contextId and a sender id to the token by which it arrives."""

GREET, ACCOUNT, HOURS = "oi", "qual é a minha agência", "qual o horário de atendimento"
SAYS = (GREET, ACCOUNT, HOURS, ACCOUNT, ACCOUNT)
"""What everybody says, turn by turn."""
SENDS: Mapping[str, tuple[int, ...]] = {
    "once": (1, 0, 0, 0, 0),
    "always": (1, 1, 1, 1, 1),
    "later": (0, 0, 1, 0, 0),
    "another": (1, 0, 0, 2, 0),
}
"""Whose contextId goes along with each of these turns: nobody's (0), that of the customer who
arrives (1), or that of another one who goes on in the same conversation (2)."""

_GREETINGS = {
    "Private": "Olá! Sou a assistente do Private. Como posso ajudar?",
    "Personnalité": "Olá! Sou a assistente do Personnalité. Como posso ajudar?",
    "Uniclass": "Olá! Sou a assistente do Uniclass. Como posso ajudar?",
    "Empresas": "Olá! Sou a assistente da sua empresa no banco. Como posso ajudar?",
}
_GREETING = "Olá! Sou a assistente do banco. Como posso ajudar?"
_HOURS = "As agências atendem de segunda a sexta, das 10h às 16h. Por aqui, atendo a qualquer hora."
_NO_ACCOUNT = "Ainda não sei de que conta você fala."
_AN_ACCOUNT = re.compile(r"\d{8}")
_AGAIN = 3
"""How often somebody says the same thing at most."""


@dataclass(frozen=True)
class Turn:
    """A message that was answered, or was not."""

    begun: float
    """Monotonic clock, as all times here."""
    ended: float
    right: bool
    mixed_up: bool
    """Whether the answer names another customer's account."""
    server: str | None
    """Which Rasa server has answered."""


@dataclass
class User:
    """Somebody who talks to the bot."""

    number: int
    turns: list[Turn] = field(default_factory=list)
    repeated: int = 0
    sender: str = field(default_factory=lambda: uuid4().hex)

    @property
    def customers(self) -> tuple[Customer, Customer]:
        """Who arrives, and who may go on after them."""
        return Customer(2 * self.number + 1), Customer(2 * self.number + 2)

    @property
    def sends(self) -> tuple[int, ...]:
        """Whose contextId goes along, turn by turn."""
        return tuple(SENDS.values())[self.number % len(SENDS)]

    @property
    def seen(self) -> list[Customer]:
        """The customers whose contextId goes along at some time."""
        return [who for place, who in enumerate(self.customers, 1) if place in self.sends]

    async def talk(self, http: aiohttp.ClientSession, url: str, sign: Sign) -> None:
        """Send everything, and wait for each answer."""
        current: Customer | None = None
        for text, place in zip(SAYS, self.sends, strict=True):
            sent = self.customers[place - 1] if place else None
            current = sent or current
            expected = _answer(text, current)
            token = None if sent is None else sign(sent.context_id, self.sender)
            turn = await self._say(http, url, text, token, expected)
            for _ in range(_AGAIN):
                if turn.right:
                    break
                self.repeated += 1
                turn = await self._say(http, url, text, None, expected)

    async def _say(
        self,
        http: aiohttp.ClientSession,
        url: str,
        text: str,
        token: str | None,
        expected: str,
    ) -> Turn:
        message: dict[str, Any] = {"sender": self.sender, "message": text}
        if token is not None:
            message["metadata"] = {"contextId": token}
        headers = {TURN_HEADER: str(self.number + len(self.turns))}
        begun = time.monotonic()
        heard, server = await _post(http, f"{url}/webhooks/rest/webhook", message, headers)
        turn = Turn(
            begun,
            time.monotonic(),
            right=heard == [expected],
            mixed_up=names_another(str(heard), expected),
            server=server,
        )
        self.turns.append(turn)
        return turn


def names_another(heard: str, expected: str) -> bool:
    """Whether an answer names an account that the right one does not."""
    return not set(_AN_ACCOUNT.findall(heard)) <= set(_AN_ACCOUNT.findall(expected))


async def _post(
    http: aiohttp.ClientSession, url: str, message: object, headers: Mapping[str, str]
) -> tuple[list[str] | None, str | None]:
    """Send a message; give the texts of the answer, None for none, and who has answered."""
    try:
        async with http.post(url, json=message, headers=headers) as answer:
            server = answer.headers.get(SERVER_HEADER)
            texts = [part.get("text") for part in await answer.json()] if answer.ok else None
            return texts, server
    except aiohttp.ClientError:
        return None, None


def _answer(text: str, customer: Customer | None) -> str:
    """Return what the bot must answer."""
    if text == HOURS:
        return _HOURS
    if text == GREET:
        return _GREETINGS.get(customer.slots["segment"] if customer else "", _GREETING)
    if customer is None:
        return _NO_ACCOUNT
    slots = customer.slots
    return f"Você fala da agência {slots['agency']}, conta {slots['account']}."
