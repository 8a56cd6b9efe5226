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

from tests.model.books import ENDLESS, Books, Violation
from tests.model.steps import (
    FAILURES,
    NAMES,
    SESSION_ENDS,
    START_OWN,
    START_PS7,
    UNDEFINED,
    UNUSABLE,
    Answers,
    Attack,
    Bot,
    Step,
    Turn,
    Wait,
    Walk,
)
from tests.model.tracker import LISTEN, SESSION_START, Event, Tracker, opens

Driver = Callable[[dict[str, Any]], dict[str, Any]]

CONTEXT, VERIFY, FORGET, WHO = "context", "verify", "forget", "who"
ACTIONS = {name: f"action_ps7_{name}" for name in (CONTEXT, VERIFY, FORGET)} | {WHO: "action_who"}
STATUS, SEAL, CPF, AGENCY = "ps7_status", "ps7_context", "cpf", "agency"
OURS = (STATUS, SEAL, CPF, AGENCY)
BALANCE, METADATA = "balance", "session_started_metadata"
OUTCOMES = {"ok", "missing", "invalid", "rejected", "denied", "unavailable", "expired", "tampered"}
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
    if name in (UNUSABLE, UNDEFINED):
        return {"contextId": "no context id" if name == UNUSABLE else UNDEFINED}
    text, _, encoded = name.partition(" ")
    return {"contextId": f"ctx-{text}", **({"encoded": int(encoded)} if encoded else {})}


def on_the_wire(name: str) -> str:
    """Return what PS7 tells one contextId from another by."""
    sent = in_metadata(name)
    return f"{sent['contextId']}{'/0' if sent.get('encoded') == 0 else ''}"


def settings_of(bot: Bot, replica: int) -> str:
    """Return the PS7_* variables of one replica. What differs between two has no effect here."""
    variables = {
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
    return json.dumps(variables)


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
        self.settled: tuple[str, int] | None = None
        """The last run and its replica, while nothing has changed since."""
        self.about: dict[str, str] = {}
        """The contextId that a seal is about, for those that a lookup made."""
        slots = {name: {"type": "any"} for name in self.tracker.slots}
        config = {"carry_over_slots_to_new_session": bot.carries}
        self.domain = {"slots": slots, "session_config": config} if bot.domain else {}

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
        brought = self.metadata(turn)
        metadata = brought[0] if brought else None
        applied = self.tracker.applied()
        spoken = [event for event in applied if event["event"] == "user"]
        if not applied or (spoken and self.now - spoken[-1]["timestamp"] > SESSION_ENDS):
            if brought:
                self.sets(METADATA, metadata)
            self.session(turn, brought, "away" if turn.away else "")
        self.books.turn_begins()
        text = turn.does if turn.does.startswith("/") else "oi"
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
        """Run an action of ours as a rule does; twice, for the second time changes nothing."""
        self.happens("action", name=ACTIONS[what])
        self.run(what, replica)
        if what != FORGET:
            self.run(what, replica)

    # -- sessions

    def session(
        self, turn: Turn, brought: tuple[dict[str, Any], float, bool] | None, why: str
    ) -> None:
        """Start a session, as Rasa itself or with an action of ours."""
        carries = self.bot.carries and why != "/restart"
        seen[f"session: {why or 'after a while'}, {self.bot.start}"] += 1
        if self.bot.start == START_PS7 and why != "away":
            self.books.session_starts(remembers=carries or self.bot.shows is None)
            self.arrives(turn, brought)
            return self.starts(turn.replica)
        kept = [e for e in self.tracker.applied() if e["event"] == "slot"]
        self.happens("action", name=SESSION_START)
        if self.bot.start == START_OWN:
            self.happens("session_started")
            for event in kept if self.bot.carries else []:
                self.happens("slot", name=event["name"], value=event["value"])
            self.happens("action", name=LISTEN)
            remembers = carries and self.bot.every and not turn.away
        else:
            remembers = self.bot.store != "memory"
        shows_all = self.bot.store == "all" and self.bot.shows is None
        return self.books.session_starts(remembers=remembers or shows_all)

    def starts(self, replica: int) -> None:
        before, seals = dict(self.tracker.slots), self.seals()
        events, asked = self.call(SESSION_START, replica)
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
        self.judge("session start", replica, asked, seals)

    # -- runs

    def run(self, what: str, replica: int) -> None:
        """Run an action of ours, and judge what it leaves behind."""
        before, seals, again = dict(self.tracker.slots), self.seals(), self.settled
        events, asked = self.call(ACTIONS[what], replica)
        changes = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        if len(changes) != len(events):
            raise Violation(f"{what} returned more than slots, or a slot twice")
        if not changes.keys() <= {*self.name.values(), BALANCE}:
            raise Violation(f"{what} set a slot that is not ours: {sorted(changes)}")
        if unchanged := [name for name, value in changes.items() if before[name] == value]:
            raise Violation(f"{what} set what was so already: {sorted(unchanged)}")
        if again == (what, replica) and (changes or asked):
            raise Violation(f"{what} a second time at once changes {sorted(changes)}")
        for event in events:
            self.happens(**event)
        self.tallies(what, changes, asked=bool(asked))
        if what == FORGET:
            self.books.logs_out({self.about[seal] for seal in seals if seal in self.about})
        elif self.books.outlived(before[self.name[STATUS]], self.slot(STATUS)):
            raise Violation(f"{what} says {self.slot(STATUS)} of a customer of an earlier session")
        self.judge(what, replica, asked, seals)
        if self.slot(STATUS) == before[self.name[STATUS]] in ("expired", "tampered"):
            self.settled = None  # said in this turn too, and no event tells the next run so
        if what == CONTEXT and self.slot(STATUS) != "ok" and (owed := self.books.owes(self.now)):
            raise Violation(f"the customer of {owed} is kept out: {self.slot(STATUS)}")

    def seals(self) -> set[str]:
        """Return the seals that the tracker shows, in any event or in the slot."""
        name = self.name[SEAL]
        events = self.tracker.shown(self.bot.shows)
        values = {e["value"] for e in events if e["event"] == "slot" and e["name"] == name}
        return (values | {self.slot(SEAL)}) - {None, GARBAGE}

    def judge(self, what: str, replica: int, asked: list[str], seals: set[str]) -> None:
        """Hold the slots against the books after a run of ours that was shown these seals."""
        status, cpf, balance = self.slot(STATUS), self.slot(CPF), self.tracker.slots[BALANCE]
        if what in (CONTEXT, "session start") and status not in OUTCOMES:
            raise Violation(f"{what} left the status {status}")
        if status == "tampered" and not self.books.written:
            raise Violation(f"{what} says tampered, and nobody wrote a slot")
        carries = self.bot.carries or self.bot.shows is None
        if seals and carries and self.slot(SEAL) is None and not self.unsealed:
            self.unsealed = Violation(f"{what} left no seal, and one was shown")
        if asked:
            self.about[self.slot(SEAL)] = asked[-1]
        if status == "ok":
            self.books.names(customer_of(cpf), self.now, what)
            if self.slot(AGENCY) != cpf[:4]:
                raise Violation(f"{what} left the agency of another customer")
        elif cpf is not None and not self.books.attacked:
            raise Violation(f"{what} left the CPF of {customer_of(cpf)}: {status}")
        beside = f"of {cpf}" if status == "ok" else None
        if balance not in (None, FORGED, beside) and not self.books.typed:
            raise Violation(f"{what} left the balance {balance} beside {cpf}: {status}")
        self.settled = (what, replica) if self.bot.shows is None else None

    def who(self, replica: int) -> None:
        """Ask a bot's own action which customer it reads from the seal."""
        settled = self.settled is not None and self.settled[1] == replica
        ((event,), _) = self.call(ACTIONS[WHO], replica)
        cpf = event["value"]
        if cpf is not None:
            self.books.names(customer_of(cpf), self.now, "verified_context")
        shown = self.slot(CPF) if self.slot(STATUS) == "ok" else None
        if settled and cpf != shown:
            raise Violation(f"verified_context says {cpf}, the slots say {shown}")

    def call(self, action: str, replica: int) -> tuple[list[Event], list[str]]:
        """Call the action server; return the events, and about whom PS7 was asked."""
        events = self.tracker.shown(self.bot.shows)
        begins = self.bot.shows is None or action == SESSION_START or any(map(opens, events))
        self.books.shown = self.books.session if begins else ENDLESS
        names = {on_the_wire(name): name for name in self.books.ps7}
        reply = self.driver(
            {
                "settings": self.settings[replica],
                "now": self.now + (self.bot.skew if replica == 1 else 0),
                "ps7": {sent: answer(self.books.ps7[name]) for sent, name in names.items()},
                "call": {
                    "next_action": action,
                    "sender_id": self.sender_id,
                    "tracker": self.tracker.state(self.sender_id, events),
                    "domain": self.domain,
                },
            }
        )
        if "events" not in reply:
            raise Violation(str(reply))
        asked = [names[sent] for sent in reply["asked"]]
        for name in asked:
            self.books.asked(name, self.now)
        return reply["events"], asked

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
        if turn.brings == UNDEFINED:
            return plain, self.now, False
        if turn.token == "old" and turn.brings in self.tokens:
            return *self.tokens[turn.brings], True
        sub = "somebody else" if turn.token == "another's" else self.sender_id
        made = int(self.now)
        claims = {**plain, "sub": sub, "iat": made, "exp": made + 120}
        key = _OTHER_KEY if turn.token == "forged" else _ARRIVAL_KEY
        metadata, genuine = {"contextId": token(claims, key)}, turn.token in ("new", "old")
        if genuine:
            self.tokens.setdefault(turn.brings, (metadata, float(made)))
        return metadata, float(made), genuine

    def attacks(self, attack: Attack | None, when: str) -> None:
        if attack is None or attack.when != when:
            return
        name = self.name.get(attack.slot, attack.slot)
        values = self.values[name]
        self.books.is_written_to()
        self.books.typed |= attack.slot == CPF or self.bot.shows is not None
        seen[f"attack: {attack.slot}, {when}"] += 1
        self.sets(name, values[attack.value % len(values)])

    def sets(self, name: str, value: object) -> None:
        self.happens("slot", name=name, value=value)

    def happens(self, event: str, **details: Any) -> None:  # noqa: ANN401 - the fields of an event
        """Add an event to the tracker, at its own time."""
        self.now += 0.01
        self.tracker.add({"event": event, **details, "timestamp": self.now})
        self.settled = self.settled if event == "action" else None
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


def recipe(bot: Bot) -> str:
    """Return in words how a bot calls the plugin, and where it runs."""
    when = "every turn" if bot.every else "in rules"
    arrival = "signed" if bot.signed else "unsigned"
    return f"{when}, {bot.start}, {bot.store}, {arrival}"


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
    seen[f"bot: {recipe(walk.bot)}"] += 1
