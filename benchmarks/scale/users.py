"""Users of the bot, who they are to PS7, and what each of them must hear.

A user sends messages over Rasa's REST channel, each to another Rasa server than the one before, and
each contextId in a token that the back-end signs. If the answer is not the right one, they say the
same again without the contextId: the channel has sent it. No two customers have a contextId, a CPF
or an account in common, so that nobody can be taken for another.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp

from benchmarks.scale.proxy import SERVER_HEADER, TURN_HEADER

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Sign = Callable[[str, str], str]
    """From a contextId and a sender id to the token by which it arrives."""

ACCOUNT, HOURS = "qual é a minha agência", "qual o horário de atendimento"
SAYS = (ACCOUNT, ACCOUNT, HOURS, ACCOUNT, ACCOUNT)
"""What everybody says, turn by turn."""
SENDS = ((1, 0, 0, 0, 0), (1, 1, 1, 1, 1), (0, 0, 1, 0, 0), (1, 0, 0, 2, 0))
"""Whose contextId goes along with each of these turns: nobody's (0), that of the customer who
arrives (1), or that of another one who goes on in the same conversation (2)."""

_OPEN = "As agências atendem de segunda a sexta, das 10h às 16h. Por aqui, atendo a qualquer hora."
_NO_ACCOUNT = "Ainda não sei qual é a sua conta."
_AN_ACCOUNT = re.compile(r"\d{8}")
_AGAIN = 3
"""How often somebody says the same thing again at most."""


@dataclass(frozen=True)
class Customer:
    """A customer by their number."""

    number: int

    @property
    def context_id(self) -> str:
        """What the channel sends."""
        return f"scale-{self.number}"

    @property
    def slots(self) -> dict[str, str]:
        """What the bot must know of them, beyond that they are known."""
        number = self.number
        return {
            "cpf": f"{number:011}",
            "agency": f"{number % 10_000:04}",
            "account": f"{number:08}",
        }

    @property
    def answer(self) -> dict[str, Any]:
        """What PS7 answers."""
        cpf, agency, account = self.slots.values()
        payload = {"u_cpf": cpf, "u_ag": agency, "u_cc": account, "u_seg": "Varejo", "u_id": "AUT"}
        return {"code": "0", "message": "success", "expireIn": "3600", "payload": payload}


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
    sender: str = field(default_factory=lambda: uuid4().hex)

    @property
    def customers(self) -> tuple[Customer, Customer]:
        """Who arrives, and who may go on after them."""
        return Customer(2 * self.number + 1), Customer(2 * self.number + 2)

    @property
    def sends(self) -> tuple[int, ...]:
        """Whose contextId goes along, turn by turn."""
        return SENDS[self.number % len(SENDS)]

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
            metadata = {"contextId": sign(sent.context_id, self.sender)} if sent else {}
            for _ in range(1 + _AGAIN):
                turn = await self._say(http, url, text, metadata, _answer(text, current))
                if turn.right:
                    break
                metadata = {}

    async def _say(
        self,
        http: aiohttp.ClientSession,
        url: str,
        text: str,
        metadata: Mapping[str, str],
        expected: str,
    ) -> Turn:
        message = {"sender": self.sender, "message": text, "metadata": metadata}
        headers = {TURN_HEADER: str(self.number + len(self.turns))}
        begun, heard, server = time.monotonic(), None, None
        try:
            async with http.post(
                f"{url}/webhooks/rest/webhook", json=message, headers=headers
            ) as answer:
                server = answer.headers.get(SERVER_HEADER)
                heard = [part.get("text") for part in await answer.json()] if answer.ok else None
        except aiohttp.ClientError:
            pass  # nothing was heard
        named = set(_AN_ACCOUNT.findall(str(heard))) - set(_AN_ACCOUNT.findall(expected))
        right, mixed_up = heard == [expected], bool(named)
        self.turns.append(Turn(begun, time.monotonic(), right, mixed_up, server))
        return self.turns[-1]


def _answer(text: str, customer: Customer | None) -> str:
    """Return what the bot must answer."""
    if text == HOURS:
        return _OPEN
    if customer is None:
        return _NO_ACCOUNT
    return f"Sua conta: agência {customer.slots['agency']}, conta {customer.slots['account']}."
