"""A conversation: the channel, Rasa, the bot, PS7 and an attacker who writes slots.

Each run of an action of ours is a call with the webhook's JSON to a driver; what it leaves behind
is held against the books.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from tests.model.books import Books, Violation
from tests.model.steps import (
    FAILURES,
    NAMES,
    SESSION_ENDS,
    START_OWN,
    START_PS7,
    UNUSABLE,
    Answers,
    Attack,
    Bot,
    Step,
    Turn,
    Wait,
    Walk,
)
from tests.model.tracker import LISTEN, SESSION_START, Event, Tracker

Driver = Callable[[dict[str, Any]], dict[str, Any]]

CONTEXT, VERIFY, FORGET, WHO = "context", "verify", "forget", "who"
ACTIONS = {name: f"action_ps7_{name}" for name in (CONTEXT, VERIFY, FORGET)} | {WHO: "action_who"}
STATUS, SEAL, CPF, AGENCY = "ps7_status", "ps7_context", "cpf", "agency"
OURS = (STATUS, SEAL, CPF, AGENCY)
BALANCE, METADATA = "balance", "session_started_metadata"
OUTCOMES = {"ok", "missing", "invalid", "rejected", "denied", "unavailable", "expired", "tampered"}
FINAL = ("ok", "missing", "invalid", "rejected")
"""What a second run at once leaves as it is: after the others PS7 may be asked again."""
RENAMES = {STATUS: "estado", SEAL: "selo", CPF: "documento"}
GARBAGE, FORGED = "garbage", "forged"
BEGINS = 1_795_000_000.0
_STATUS_CODES = {"rejected": 500, "unavailable": 503, "denied": 403}
_CUSTOMERS = {name: str(index) * 11 for index, name in enumerate(NAMES, start=1)}
_ARRIVAL_KEY, _OTHER_KEY = "k" * 48, "o" * 48
_SEAL_KEY = base64.urlsafe_b64encode(b"s" * 32).decode()
_users = count()

seen: Counter[str] = Counter()
"""What the walks of this process have come across, and how often."""


def cpf_of(customer: str) -> str:
    """Return the CPF that PS7 answers for a customer."""
    return _CUSTOMERS.get(customer, customer)


def in_metadata(name: str) -> dict[str, Any]:
    """Return what a channel sends about a contextId."""
    if name == UNUSABLE:
        return {"contextId": "no context id"}
    text, *encoded = name.split()
    return {"contextId": f"ctx-{text}", **({"encoded": 0} if encoded else {})}


def on_the_wire(name: str) -> str:
    sent = in_metadata(name)
    return f"{sent['contextId']}/{sent.get('encoded', '')}"


def settings_of(bot: Bot, replica: int) -> dict[str, str]:
    """Return the PS7_* variables of one replica. What differs between two has no effect here."""
    return {
        "PS7_BASE_URL": "http://127.0.0.1:9",
        "PS7_USERNAME": "model",
        "PS7_PASSWORD": "model",
        "PS7_SEAL_KEYS": json.dumps([_SEAL_KEY]),
        "PS7_MAX_AGE": "1500",
        "PS7_MAX_CONTEXTS": str(bot.limit),
        "PS7_ATTEMPTS": "1",
        "PS7_BREAKER_FAILURES": "1000000",
        "PS7_CLEAR_SLOTS": json.dumps([BALANCE]),
        "PS7_MAX_CONNECTIONS": str(100 + replica),
        **({"PS7_ARRIVAL_KEYS": json.dumps([_ARRIVAL_KEY])} if bot.signed else {}),
        **({"PS7_SLOT_NAMES": json.dumps(RENAMES)} if bot.renamed else {}),
    }


class Conversation:
    """One user of one bot."""

    def __init__(self, bot: Bot, driver: Driver) -> None:
        self.bot, self.driver, self.books = bot, driver, Books(bot)
        self.sender_id = f"model-{next(_users)}"
        self.now = BEGINS
        self.name = {slot: RENAMES.get(slot, slot) if bot.renamed else slot for slot in OURS}
        # A default name that was renamed is a slot of the bot's own.
        own = set(RENAMES) if bot.renamed else set()
        self.tracker = Tracker([*self.name.values(), BALANCE, METADATA, *own])
        self.values: dict[str, list[Any]] = {
            self.name[STATUS]: [None, "ok"],
            self.name[SEAL]: [None, GARBAGE],
            self.name[CPF]: [None],
            BALANCE: [None, FORGED],
            METADATA: [None],
        }
        self.tokens: dict[str, tuple[dict[str, Any], float]] = {}
        self.settings = [settings_of(bot, replica) for replica in range(3)]
        self.unsealed: Violation | None = None
        """Raised last: a run that leaves no seal does no harm by itself."""
        self.in_order: tuple[str, int] | None = None
        """The last run and its replica, while nothing has been written since."""

    # -- what happens

    def step(self, step: Step) -> None:
        """Let one thing happen."""
        seen["step"] += 1
        match step:
            case Wait():
                self.now += step.seconds
            case Answers():
                self.books.ps7[step.about] = step.answer
            case Turn():
                self.turn(replace(step, away=step.away and self.bot.unreliable))

    def turn(self, turn: Turn) -> None:
        """Let the user write, and Rasa and the bot do what they do then."""
        self.tracker.load(self.bot.store)
        seen[f"replica: {turn.replica}"] += 1
        self.now += 1
        self.books.in_turn.clear()
        brought = self.metadata(turn)
        metadata = brought[0] if brought else None
        applied = self.tracker.applied()
        spoken = [event for event in applied if event["event"] == "user"]
        if not applied or (spoken and self.now - spoken[-1]["timestamp"] > SESSION_ENDS):
            if brought:
                self.sets(METADATA, metadata)
            self.session(turn, brought, "away" if turn.away else "")
        text = turn.does if turn.does.startswith("/") else "oi"
        self.books.in_turn.clear()
        intent = {"name": text.removeprefix("/")} if text.startswith("/") else {"name": "greet"}
        parsed = {"text": text, "intent": intent, "entities": [], "metadata": metadata or {}}
        known = {**(metadata or {}), "model_id": "m", "assistant_id": "a"}
        self.happens("user", text=text, parse_data=parsed, metadata=known)
        self.arrives(turn, brought)
        self.attacks(turn.attack, "before")
        if self.bot.every and not turn.away:
            self.run(CONTEXT, turn.replica)
        self.attacks(turn.attack, "after")
        self.does(turn, brought)
        self.attacks(turn.attack, "between")
        self.who(turn.replica)

    def does(self, turn: Turn, brought: tuple[dict[str, Any], float, bool] | None) -> None:
        match turn.does:
            case "context" | "verify" | "forget":
                self.acts(turn.does, turn.replica)
            case "balance":
                self.acts(VERIFY, turn.replica)
                self.happens("action", name="action_balance")
                if self.slot(STATUS) == "ok":
                    self.sets(BALANCE, f"of {self.slot(CPF)}")
            case "/back":
                self.happens("action", name="action_back")
                self.happens("rewind")
                self.happens("rewind")
            case "fallback" | "fallback, verify":
                self.happens("action", name="action_default_fallback")
                self.happens("rewind")
                if turn.does != "fallback":
                    self.acts(VERIFY, turn.replica)
            case "/restart":
                self.happens("action", name="action_restart")
                self.happens("restart")
                return self.session(turn, None, "/restart")
            case "/session_start":
                return self.session(turn, brought, "/session_start")
        return self.happens("action", name=LISTEN)

    def acts(self, what: str, replica: int) -> None:
        """Run an action of ours as a rule does."""
        self.happens("action", name=ACTIONS[what])
        self.run(what, replica)

    # -- sessions

    def session(
        self, turn: Turn, brought: tuple[dict[str, Any], float, bool] | None, why: str
    ) -> None:
        """Start a session, as Rasa itself or with an action of ours."""
        carries = self.bot.carries and why != "/restart"
        watched = self.bot.every and not turn.away
        seen[f"session: {why or 'after a while'}, {self.bot.start}"] += 1
        if self.bot.start == START_PS7 and why == "away":
            self.happens("action", name=SESSION_START)
            remembers = self.bot.store != "memory"
            self.books.session_starts(
                carries=True, remembers=remembers, by_rasa=True, watched=watched
            )
            self.books.start_failed = True
        elif self.bot.start == START_OWN:
            kept = [e for e in self.tracker.applied() if e["event"] == "slot"]
            self.happens("action", name=SESSION_START)
            self.happens("session_started")
            for event in kept if self.bot.carries else []:
                self.happens("slot", name=event["name"], value=event["value"])
            self.happens("action", name=LISTEN)
            remembers = carries and self.bot.every and not self.bot.unreliable
            remembers |= self.bot.store == "all"
            self.books.session_starts(
                carries=carries, remembers=remembers, by_rasa=True, watched=watched
            )
        else:
            self.books.session_starts(carries=carries, remembers=True)
            self.arrives(turn, brought)
            self.starts(turn.replica)

    def starts(self, replica: int) -> None:
        before, shown = dict(self.tracker.slots), self.shows_a_seal()
        events = self.call(SESSION_START, replica)
        kinds = [event["event"] for event in events]
        expected = ["session_started", *["slot"] * (len(kinds) - 2), "action"]
        if kinds != expected or events[-1]["name"] != LISTEN:
            raise Violation(f"action_session_start returned {kinds}")
        self.happens("action", name=SESSION_START)
        for event in events:
            if event["event"] == "slot":
                name = event["name"]
                if name not in before or event["value"] is None:
                    raise Violation(f"action_session_start set {name} for nothing")
                kept = name in self.name.values() or name == METADATA
                if not kept and event["value"] != before[name]:
                    raise Violation(f"action_session_start changed {name}")
            self.happens(**event)
        self.holds("session start", replica, shown=shown)

    # -- runs

    def run(self, what: str, replica: int) -> None:
        """Run an action of ours, and look at what it leaves behind."""
        before, shown = dict(self.tracker.slots), self.shows_a_seal()
        asked = sum(self.books.in_turn.values())
        events = self.call(ACTIONS[what], replica)
        changes = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        if len(changes) != len(events):
            raise Violation(f"{what} returned more than slots, or a slot twice")
        if not changes.keys() <= {*self.name.values(), BALANCE}:
            raise Violation(f"{what} set a slot that is not ours: {sorted(changes)}")
        if same := [name for name, value in changes.items() if before[name] == value]:
            raise Violation(f"{what} set what was so already: {sorted(same)}")
        for event in events:
            self.happens(**event)
        asked_now = sum(self.books.in_turn.values()) > asked
        again = self.in_order == (what, replica) and self.slot(STATUS) in FINAL
        if again and changes and not asked_now and not self.books.attacked:
            raise Violation(f"{what} a second time changes {sorted(changes)}")
        self.tallies(what, changes, asked=asked_now)
        if what == FORGET:
            self.books.logs_out(shown=before[self.name[STATUS]] == "ok")
        self.holds(what, replica, shown=shown)
        if what == CONTEXT and self.slot(STATUS) != "ok" and (owed := self.books.owes(self.now)):
            raise Violation(f"the customer of {owed} is kept out: {self.slot(STATUS)}")

    def shows_a_seal(self) -> bool:
        """Whether the tracker shows a seal of ours, in whatever event."""
        name = self.name[SEAL]
        events = (e for e in self.tracker.events if e["event"] == "slot" and e["name"] == name)
        return any(event["value"] not in (None, GARBAGE) for event in events)

    def holds(self, what: str, replica: int, *, shown: bool) -> None:
        """Hold the slots against the books after a run of ours."""
        status, cpf, balance = self.slot(STATUS), self.slot(CPF), self.tracker.slots[BALANCE]
        if what in (CONTEXT, "session start") and status not in OUTCOMES:
            raise Violation(f"{what} left the status {status}")
        if shown and self.slot(SEAL) is None and not self.unsealed:
            self.unsealed = Violation(f"{what} left no seal, and one was shown")
        if status == "ok":
            self.books.names(customer_of(cpf), self.now, what)
            if self.slot(AGENCY) != cpf[:4]:
                raise Violation(f"{what} left the agency of another customer")
        elif cpf is not None and not self.books.attacked:
            raise Violation(f"{what} left the CPF of {customer_of(cpf)}: {status}")
        if balance not in (None, FORGED) and not self.books.typed:
            if status != "ok":
                raise Violation(f"{what} left the balance {balance}: {status}")
            if balance != f"of {cpf}":
                raise Violation(f"{what} left the balance {balance} beside {cpf}")
        self.in_order = (what, replica)

    def who(self, replica: int) -> None:
        """Ask a bot's own action which customer it reads from the seal."""
        in_order = self.in_order
        (event,) = self.call(ACTIONS[WHO], replica)
        cpf = event["value"]
        if cpf is not None:
            self.books.names(customer_of(cpf), self.now, "verified_context")
        shown = self.slot(CPF) if self.slot(STATUS) == "ok" else None
        if in_order and in_order[0] != FORGET and in_order[1] == replica and cpf != shown:
            raise Violation(f"verified_context says {cpf}, the slots say {shown}")
        self.in_order = in_order

    def call(self, action: str, replica: int) -> list[Event]:
        """Call the action server; what PS7 was asked goes into the books."""
        if action != ACTIONS[WHO]:
            self.books.runs()
        domain = {
            "slots": {name: {"type": "any"} for name in self.tracker.slots},
            "session_config": {"carry_over_slots_to_new_session": self.bot.carries},
        }
        reply = self.driver(
            {
                "settings": self.settings[replica],
                "now": self.now + (self.bot.skew if replica == 1 else 0),
                "ps7": {on_the_wire(name): answer(says) for name, says in self.books.ps7.items()},
                "call": {
                    "next_action": action,
                    "sender_id": self.sender_id,
                    "tracker": self.tracker.state(self.sender_id),
                    "domain": domain if self.bot.domain else {},
                },
            }
        )
        if "events" not in reply:
            raise Violation(str(reply))
        names = {on_the_wire(name): name for name in self.books.ps7}
        for asked in reply["asked"]:
            self.books.asked(names[asked], self.now)
        events: list[Event] = reply["events"]
        return events

    # -- what others do

    def arrives(self, turn: Turn, brought: tuple[dict[str, Any], float, bool] | None) -> None:
        if turn.brings and brought:
            self.books.arrived(turn.brings, brought[1], self.now, genuine=brought[2])

    def metadata(self, turn: Turn) -> tuple[dict[str, Any], float, bool] | None:
        """Return what the channel sends, when its token was made, and whether the bank made it."""
        if turn.brings is None:
            return None
        plain = in_metadata(turn.brings)
        if not self.bot.signed:
            return plain, self.now, True
        seen[f"token: {turn.token}"] += 1
        if turn.token == "old" and turn.brings in self.tokens:
            return *self.tokens[turn.brings], True
        forged = turn.token == "forged"
        made = int(self.now)
        claims = {**plain, "sub": self.sender_id, "iat": made, "exp": made + 120}
        metadata = {"contextId": token(claims, _OTHER_KEY if forged else _ARRIVAL_KEY)}
        if not forged:
            self.tokens.setdefault(turn.brings, (metadata, float(made)))
        return metadata, float(made), not forged

    def attacks(self, attack: Attack | None, when: str) -> None:
        if attack is None or attack.when != when:
            return
        name = self.name.get(attack.slot, attack.slot)
        values = self.values[name]
        self.books.is_written_to()
        self.books.typed |= attack.slot == CPF
        seen[f"attack: {attack.slot}, {when}"] += 1
        self.sets(name, values[attack.value % len(values)])

    def sets(self, name: str, value: object) -> None:
        self.happens("slot", name=name, value=value)

    def happens(self, event: str, **details: Any) -> None:  # noqa: ANN401 - the fields of an event
        """Add an event to the tracker, at its own time."""
        self.now += 0.01
        self.tracker.add({"event": event, **details, "timestamp": self.now})
        self.in_order = None
        if event == "rewind":
            seen["rewind"] += 1
            self.books.is_written_to(by_rasa=True)
        if event == "slot":
            values = self.values.setdefault(details["name"], [None])
            if details["name"] != BALANCE and details["value"] not in values:
                values.append(details["value"])

    def slot(self, name: str) -> Any:  # noqa: ANN401 - of any type
        return self.tracker.slots[self.name[name]]

    def tallies(self, what: str, changes: dict[str, Any], *, asked: bool) -> None:
        how = "asks PS7" if asked else "changes slots" if changes else "in order"
        seen[f"{what}: {how}, {self.slot(STATUS)}"] += 1
        restored = self.name[CPF] in changes and self.slot(STATUS) == "ok" and not asked
        seen["restored: cpf"] += restored


def customer_of(cpf: object) -> str:
    """Return whose CPF that is."""
    return next((name for name, value in _CUSTOMERS.items() if value == cpf), str(cpf))


def answer(says: str) -> tuple[int, object]:
    """Return what PS7 answers."""
    if says in FAILURES:
        return _STATUS_CODES[says], {}
    cpf = cpf_of(says)
    return 200, {"code": "0", "payload": {"u_cpf": cpf, "u_ag": cpf[:4], "u_id": "AUT"}}


def token(claims: dict[str, Any], key: str) -> str:
    """Return an arrival token: JWS with HS256."""

    def part(raw: bytes) -> str:
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    head = {"alg": "HS256", "typ": "JWT"}
    text = ".".join(part(json.dumps(piece).encode()) for piece in (head, claims))
    return f"{text}.{part(hmac.digest(key.encode(), text.encode(), 'sha256'))}"


def play(walk: Walk, driver: Driver) -> None:
    """Let a walk happen.

    Raises:
        Violation: what must hold does not.

    """
    conversation = Conversation(walk.bot, driver)
    for step in walk.steps:
        conversation.step(step)
    if conversation.unsealed:
        raise conversation.unsealed
    seen["walk"] += 1
