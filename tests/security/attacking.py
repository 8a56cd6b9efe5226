"""A bot under attack: PS7, a conversation in memory that anybody may write to, and small steps.

A step is something that happens in a conversation, or is done to it. A value in a step is what it
is, or a function of the conversation, for what is known only then, such as a seal.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.fernet import Fernet

from actions.ps7 import ActionPS7Context, ActionPS7Forget, ActionPS7Verify
from actions.ps7.testing import PERSONAS, Simulator
from actions.ps7.testing.conversation import Result
from tests.model.subject import ActionWho
from tests.support.bots import PluginConversation, domain_of
from tests.support.clock import Clock
from tests.support.dialogue import LOOK_UP, SLOTS

WITNESS = "action_who"
"""Stands for any action of a bot that does something sensitive."""
STATUS, SEAL, NOTE = "ps7_status", "ps7_context", "session_started_metadata"
CUSTOMER_SLOTS = (*SLOTS[2:], "u_cpf", "u_id")

# What is secret: made anew for each run, so that a log can be searched.
SEAL_KEY, FOREIGN_SEAL_KEY = (Fernet.generate_key().decode() for _ in range(2))
ARRIVAL_KEY, FOREIGN_ARRIVAL_KEY = (secrets.token_urlsafe(32) for _ in range(2))
CONTEXT_IDS = {who: f"ctx-{who}-{secrets.token_hex(8)}" for who in ("ana", "diego")}
ANA, DIEGO = CONTEXT_IDS["ana"], CONTEXT_IDS["diego"]
SENDERS, FORGED = "5511-planted", "Forged"
SECRETS: list[str] = [
    *(SEAL_KEY, FOREIGN_SEAL_KEY, ARRIVAL_KEY, FOREIGN_ARRIVAL_KEY),
    *("gAAAAA", "eyJ"),  # how seals and tokens begin
    *(*CONTEXT_IDS.values(), SENDERS, FORGED),
    *(str(PERSONAS[who].slots[name]) for who in CONTEXT_IDS for name in ("cpf", "account")),
]


class Bank:
    """PS7 with two customers, the time, and a bot: with signed arrivals or without."""

    def __init__(self, ps7: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ps7, self.clock, self._monkeypatch = ps7, Clock(monkeypatch), monkeypatch
        self.signed = False
        for who, context_id in CONTEXT_IDS.items():
            ps7.answer(context_id, body=PERSONAS[who].answer)
        keys = {"PS7_SEAL_KEYS": json.dumps([SEAL_KEY]), "PS7_CLEAR_SLOTS": '["balance"]'}
        for name, value in {**ps7.environment, **keys}.items():
            monkeypatch.setenv(name, value)

    async def opens(self, *, signed: bool) -> None:
        """Serve Ana in a conversation of her own, and from then on whoever comes."""
        if signed:
            self.signed = True
            self._monkeypatch.setenv("PS7_ARRIVAL_KEYS", json.dumps([ARRIVAL_KEY]))
        self.elsewhere = await Talk(self).after(*arrives("ana"))

    def now(self) -> float:
        """Return the time, always a later one: a session is known by the time of its start."""
        self.clock.move(0.001)
        return self.clock.now.timestamp()


class Talk(PluginConversation):
    """One conversation with the bot."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.seals: dict[str, dict[str, Any]] = {}
        """Every seal that was set, with the slots as they were then: an attacker may keep them."""
        actions = [ActionPS7Context(), ActionPS7Verify(), ActionPS7Forget(), ActionWho()]
        names = [action.name() for action in actions]
        domain = domain_of(names, (STATUS, SEAL, *CUSTOMER_SLOTS, "who", "balance"))
        sender = f"{SENDERS}-{uuid4().hex[:16]}"
        super().__init__(domain, actions, sender_id=sender, now=bank.now)

    async def after(self, *steps: Step) -> Talk:
        """Let these steps happen, and no request of theirs count."""
        for step in steps:
            await step(self)
        self.bank.ps7.requests.clear()
        return self

    async def run(self, name: str) -> Result:
        """Run an action, and keep the seal that it leaves."""
        result = await super().run(name)
        slots = self.slots
        if isinstance(slots[SEAL], str):
            self.seals.setdefault(slots[SEAL], slots)
        return result


Step = Callable[[Talk], Awaitable[object]]
Value = Callable[[Talk], object]


def brings(context_id: object, /, **beside: object) -> Step:
    """Send a message with this as the contextId, and with that beside it."""
    return says(contextId=context_id, **beside)


def says(**metadata: object) -> Step:
    """Send a message with this metadata."""
    return lambda talk: talk.user("oi", metadata=_known(talk, metadata))


def _known(talk: Talk, values: dict[str, object]) -> dict[str, object]:
    """Return values as they are known now."""
    return {name: v(talk) if callable(v) else v for name, v in values.items()}


def runs(action: str) -> Step:
    """Run an action, as a bot does."""
    return lambda talk: talk.run(action)


async def comes_back(talk: Talk) -> None:
    """Start another session, without a contextId."""
    await talk.comes_back()


def writes(**slots: object) -> Step:
    """Write slots, as a form, an entity, an action or Rasa's API can."""
    return lambda talk: talk.set_slots(**_known(talk, slots))


def seals(seal: object, status: object = "ok") -> Step:
    """Write the slot of the seal, and claim that a customer is known."""
    return writes(**{SEAL: seal, STATUS: status})


def claims(who: str) -> Step:
    """Write every slot of a customer but the seal, as if PS7 had named them."""
    return writes(**said_of(who), ps7_expires_at="2999-12-31T23:59:59+00:00", ps7_status="ok")


async def restores_hers(talk: Talk) -> None:
    """Write every slot of ours as it was when Ana's seal was set, the seal included."""
    before = next(said for said in talk.seals.values() if said["cpf"] == said_of("ana")["cpf"])
    await writes(**{name: before[name] for name in (STATUS, SEAL, *CUSTOMER_SLOTS)})(talk)


def said_of(who: str) -> dict[str, Any]:
    """Return what PS7 says of a customer, by slot; but not until when."""
    known = {**PERSONAS[who].payload, **PERSONAS[who].slots, "ps7_payload": PERSONAS[who].payload}
    return {slot: known.get(slot) for slot in CUSTOMER_SLOTS if slot != "ps7_expires_at"}


def stolen(talk: Talk) -> str:
    """Return the seal of Ana in a conversation of her own."""
    (seal,) = talk.bank.elsewhere.seals
    return seal


def sealed_by(key: str) -> Value:
    """Return what that seal says, bound to this conversation and session, by a key of choice.

    It takes the bot's key to read it: an attacker without it can do less.
    """

    def forged(talk: Talk) -> str:
        opened = [event for event in talk.events if event["event"] == "session_started"][-1]
        mark = str(opened["metadata"].get("ps7_session", opened["timestamp"]))
        said = json.loads(Fernet(SEAL_KEY).decrypt(stolen(talk))[32:])
        plain = json.dumps({**said, "number": 9, "session": mark}).encode()
        sender = hashlib.sha256(talk.sender_id.encode()).digest()
        return Fernet(key).encrypt(sender + plain).decode()

    return forged


def token(
    who: str = "diego", *, key: str = ARRIVAL_KEY, made: float = 0.0, **claims: object
) -> Callable[[Talk], str]:
    """Return a token for a customer of this conversation; `made` seconds from now, with changes."""

    def make(talk: Talk) -> str:
        iat = int(talk.bank.clock.now.timestamp() + made)
        said = {"contextId": CONTEXT_IDS[who], "sub": talk.sender_id, "iat": iat, "exp": iat + 120}
        return jwt.encode(said | claims, key, "HS256", {"jwk": FOREIGN_ARRIVAL_KEY})

    return make


def genuine(who: str) -> Value:
    """Return what the bank's own channel sends for a customer of this conversation."""
    signed = token(who)
    return lambda talk: signed(talk) if talk.bank.signed else CONTEXT_IDS[who]


def arrives(who: str) -> tuple[Step, Step]:
    """Let the bank's own channel bring a customer, who is looked up."""
    return brings(genuine(who)), runs(LOOK_UP)
