"""A conversation: the channel, Rasa, the bot, PS7 and an attacker who writes slots.

What each run of an action of ours leaves behind is held against the books. What Rasa does and makes
of events is the test driver's and the test kit's.
"""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import count
from typing import Any, NamedTuple

import jwt

from actions.ps7.testing.rasa_in_memory import (
    LISTEN,
    SESSION_METADATA,
    SESSION_START,
    Event,
)
from tests.model.books import Books, Violation, must
from tests.model.steps import (
    BASE64,
    FAILURES,
    LIMIT,
    MAX_AGE,
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
from tests.model.subject import Subject
from tests.support.conversation import PlainConversation

RASAS = {
    "/back": "action_back",
    "/restart": "action_restart",
    "fallback": "action_default_fallback",
}
"""What the bot does, and which action of Rasa's own that is."""
STATUS, SEAL, CPF, AGENCY, BALANCE = "ps7_status", "ps7_context", "cpf", "agency", "balance"
OUTCOMES = {"ok", "missing", "invalid", "expired", "tampered", *FAILURES}
OURS = (STATUS, SEAL, CPF, AGENCY)
GARBAGE, FORGED = "garbage", "forged"
_STATUS_CODES = {"rejected": 500, "unavailable": 503, "denied": 403}
_CPFS = {name: str(index) * 11 for index, name in enumerate(NAMES, start=1)}
_ARRIVAL_KEY, _OTHER_KEY = "k" * 48, "o" * 48
_SETTINGS = {
    "PS7_BASE_URL": "http://127.0.0.1:9",
    "PS7_USERNAME": "model",
    "PS7_PASSWORD": "model",
    "PS7_SEAL_KEYS": '["c3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3M="]',
    "PS7_MAX_AGE": str(MAX_AGE),
    "PS7_MAX_CONTEXTS": str(LIMIT),
    "PS7_ATTEMPTS": "1",
    "PS7_BREAKER_FAILURES": "1000000",
    "PS7_CLEAR_SLOTS": json.dumps([BALANCE]),
}
_users = count()


class Brought(NamedTuple):
    """What the channel sends with a message."""

    metadata: dict[str, Any]
    made: float
    """When its token was made."""
    genuine: bool
    """Whether the bank made it."""


class Conversation(PlainConversation):
    """One user of one bot."""

    tick, expires_after = 0.01, SESSION_ENDS

    def __init__(self, bot: Bot, subject: Subject) -> None:
        self.bot, self.subject, self.books = bot, subject, Books(bot)
        self.turn_now = Turn()
        slots = (*OURS, BALANCE)
        self.values: dict[str, list[Any]] = {name: [None] for name in (*slots, SESSION_METADATA)}
        """What each slot had: an attacker may write it again."""
        self.values[STATUS] += ["ok"]
        self.values[SEAL] += [GARBAGE]
        self.values[BALANCE] += [FORGED]
        self.brought: Brought | None = None
        self.tokens: dict[str, Brought] = {}
        keys = {"PS7_ARRIVAL_KEYS": json.dumps([_ARRIVAL_KEY])} if bot.signed else {}
        self.settings = _SETTINGS | keys
        self.unsealed = ""
        """Raised last: a run that leaves no seal does no harm by itself."""
        self.settled: tuple[str, int] | None = None
        """The last run and its replica, while nothing has changed since."""
        self.about: dict[str, str] = {}
        """Of those seals that a lookup made: the contextId."""
        user = f"model-{next(_users)}"
        carries, store = bot.carries, bot.store
        super().__init__(user, slots, 1_795_000_000.0, carry_over_slots=carries, store=store)
        self.domain = {"slots": {name: {"type": "any"} for name in self.values}, **self.config}

    # -- what happens

    def step(self, step: Step) -> None:
        """Let one thing happen."""
        match step:
            case Wait():
                self.later(seconds=step.seconds)
            case Answers():
                self.books.answers(step.about, step.answer)
            case Turn():
                self.turn(step)

    def turn(self, turn: Turn) -> None:
        """Let the user write, and Rasa and the bot do what they do then."""
        self.turn_now = turn
        self.begin_turn()
        self.brought = self.brings(turn)
        metadata = self.brought.metadata if self.brought else {}
        self.open_session_if_due(metadata)
        self.books.turn_begins()
        text = turn.does if turn.does.startswith("/") else "oi"
        self.note_message(text, {**metadata, "model_id": "m", "assistant_id": "a"})
        self.arrives(turn)
        self.attacks(turn.attack, "before")
        if self.bot.every and not turn.away:
            self.run("context", turn.replica)
        self.attacks(turn.attack, "after")
        self.does(turn)
        self.attacks(turn.attack, "between")
        self.who(turn.replica)

    def does(self, turn: Turn) -> None:
        """Let the bot do what its rules say."""
        what, _, then = turn.does.partition(", ")
        if what in RASAS:
            self.run_of_rasa(RASAS[what])
        if what in ("/restart", "/session_start"):
            return self.session(turn, what)
        if what in ("context", "verify", "forget"):
            self.acts(what, turn.replica)
        if "verify" in then or what == "balance":
            self.acts("verify", turn.replica)
        if what == "balance":
            self.happens("action", name="action_balance")
            if self.slot(STATUS) == "ok":
                self.set_slot(BALANCE, f"of {self.slot(CPF)}")
        return self.happens("action", name=LISTEN)

    def acts(self, what: str, replica: int) -> None:
        """Run an action of ours as a rule does; twice, for the second time changes nothing."""
        self.happens("action", name=f"action_ps7_{what}")
        for _ in range(1 if what == "forget" else 2):
            self.run(what, replica)

    # -- sessions

    def start_session(self) -> None:
        """Start the session that a message opens."""
        self.session(self.turn_now, "away" if self.turn_now.away else "")

    def session(self, turn: Turn, why: str) -> None:
        """Start a session, as Rasa itself or with an action of ours."""
        if self.bot.start == START_PS7 and why != "away":
            self.books.session_starts(remembers=True)
            if why == "/restart":
                self.brought = None
            self.arrives(turn)
            return self.starts(turn.replica)
        if self.bot.start == START_OWN:
            super().start_session()
            remembers = self.bot.carries and self.bot.every and why != "/restart" and not turn.away
        else:
            self.happens("action", name=SESSION_START)
            remembers = self.bot.store != "memory"
        return self.books.session_starts(remembers=remembers or self.bot.store == "all")

    def starts(self, replica: int) -> None:
        """Run `PS7SessionStart`."""
        seals = self.seals()
        events, asked = self.call(SESSION_START, replica)
        self.happens("action", name=SESSION_START)
        for event in events:
            self.happens(**event)
        self.judge("session start", replica, asked, seals)

    # -- runs

    def run(self, what: str, replica: int) -> None:
        """Run an action of ours, and judge what it leaves behind."""
        before, seals, again = self.slots, self.seals(), self.settled
        events, asked = self.call(f"action_ps7_{what}", replica)
        changes = {event["name"]: event["value"] for event in events if event["event"] == "slot"}
        must(all(before[name] != changes[name] for name in changes), f"{what} set what was so")
        settles = not changes and not asked
        must(again != (what, replica) or settles, f"{what} a second time changes {[*changes]}")
        for event in events:
            self.happens(**event)
        was, status = before[STATUS], self.slot(STATUS)
        if what == "forget":
            self.books.logs_out({self.about[seal] for seal in seals if seal in self.about})
        else:
            over = self.books.outlived(was, status)
            must(not over, f"{what} says {status} of a customer of an earlier session")
        self.judge(what, replica, asked, seals)
        if status == was in ("expired", "tampered"):
            self.settled = None  # said in this turn too, and no event tells the next run so
        owed = self.books.owes(self.now) if what == "context" and status != "ok" else None
        must(owed is None, f"the customer of {owed} is kept out: {status}")

    def judge(self, what: str, replica: int, asked: list[str], seals: set[str]) -> None:
        """Hold the slots against the books after a run of ours that was shown these seals."""
        status, cpf, known = self.slot(STATUS), self.slot(CPF), self.slot(STATUS) == "ok"
        settled = status in OUTCOMES or what not in ("context", "session start")
        must(settled, f"{what} left the status {status}")
        must(status != "tampered" or self.books.written, f"{what} says tampered, unwritten")
        if seals and self.slot(SEAL) is None:
            self.unsealed = self.unsealed or f"{what} left no seal, and one was shown"
        if asked:
            self.about[self.slot(SEAL)] = asked[-1]
        if known:
            self.books.names(customer_of(cpf), self.now, what)
            must(self.slot(AGENCY) == cpf[:4], f"{what} left the agency of another customer")
        left = known or cpf is None or self.books.attacked
        must(left, f"{what} left the CPF of {customer_of(cpf)}: {status}")
        balance = self.slot(BALANCE)
        left = balance in (None, FORGED, f"of {cpf}" if known else None) or self.books.typed
        must(left, f"{what} left the balance {balance} beside {cpf}: {status}")
        self.settled = (what, replica)

    def who(self, replica: int) -> None:
        """Ask a bot's own action which customer it reads from the seal."""
        settled = self.settled is not None and self.settled[1] == replica
        ((event,), _) = self.call("action_who", replica)
        cpf = event["value"]
        if cpf is not None:
            self.books.names(customer_of(cpf), self.now, "verified_context")
        shown = self.slot(CPF) if self.slot(STATUS) == "ok" else None
        must(not settled or cpf == shown, f"verified_context says {cpf}, the slots say {shown}")

    def call(self, action: str, replica: int) -> tuple[list[Event], list[str]]:
        """Call the action server; return the events, and about whom PS7 was asked."""
        names = {on_the_wire(name): name for name in self.books.ps7}
        tracker = {
            "sender_id": self.sender_id,
            "slots": self.slots,
            "latest_message": self.state_of_rasa.latest_message,
            "events": self.events,
        }
        # What differs between two replicas has no effect here.
        settings = self.settings | {"PS7_MAX_CONNECTIONS": str(100 + replica)}
        self.subject.now = self.now + (self.bot.skew if replica == 1 else 0)
        self.subject.ps7 = {sent: answer(self.books.ps7[name]) for sent, name in names.items()}
        events = self.subject.run(settings, action, tracker, self.domain)
        must(not self.subject.errors, "; ".join(self.subject.errors))
        asked = [names[sent] for sent in self.subject.asked]
        for name in asked:
            self.books.asked(name, self.now)
        return events, asked

    def seals(self) -> set[str]:
        """Return the seals that the tracker shows, in any event or in the slot."""
        values = {event["value"] for event in self.events if event.get("name") == SEAL}
        return (values | {self.slot(SEAL)}) - {None, GARBAGE}

    # -- what others do

    def arrives(self, turn: Turn) -> None:
        """Write down what the message brought."""
        if turn.brings and self.brought:
            _, made, genuine = self.brought
            self.books.arrived(turn.brings, made, self.now, genuine=genuine)

    def brings(self, turn: Turn) -> Brought | None:
        """Return what the channel sends with a turn's message."""
        if turn.brings is None:
            return None
        plain = in_metadata(turn.brings)
        if not self.bot.signed:
            return Brought(plain, self.now, genuine=True)
        if turn.brings == UNDEFINED:
            return Brought(plain, self.now, genuine=False)
        if turn.token == "old" and turn.brings in self.tokens:
            return self.tokens[turn.brings]
        sub = "somebody else" if turn.token == "another's" else self.sender_id
        made = int(self.now)
        key = _OTHER_KEY if turn.token == "forged" else _ARRIVAL_KEY
        token = jwt.encode({**plain, "sub": sub, "iat": made, "exp": made + 120}, key, "HS256")
        brought = Brought({"contextId": token}, made, genuine=turn.token in ("new", "old"))
        if brought.genuine:
            self.tokens.setdefault(turn.brings, brought)
        return brought

    def attacks(self, attack: Attack | None, when: str) -> None:
        """Let an attacker write a slot."""
        if attack is None or attack.when != when:
            return
        values = self.values[attack.slot]
        self.books.is_written_to()
        self.books.typed |= attack.slot == CPF
        self.set_slot(attack.slot, values[attack.value % len(values)])

    def happens(self, event: str, **details: Any) -> None:  # noqa: ANN401 - the fields of an event
        """Add an event to the tracker, at its own time."""
        super().happens(event, **details)
        self.settled = self.settled if event == "action" else None
        if event == "rewind":
            self.books.is_written_to(by_rasa=True)
        if event == "slot":
            values = self.values[details["name"]]
            if details["name"] != BALANCE and details["value"] not in values:
                values.append(details["value"])

    def slot(self, name: str) -> Any:  # noqa: ANN401 - of any type
        return self.state_of_rasa.slots[name]


def in_metadata(name: str) -> dict[str, Any]:
    """Return what a channel sends about a contextId."""
    if name in (UNUSABLE, UNDEFINED):
        return {"contextId": "no context id" if name == UNUSABLE else UNDEFINED}
    if name == BASE64:
        return {"contextId": b64encode(b"ctx-ana").decode(), "encoded": 0}
    text, _, encoded = name.partition(" ")
    return {"contextId": f"ctx-{text}", **({"encoded": int(encoded)} if encoded else {})}


def on_the_wire(name: str) -> str:
    """Return what PS7 tells one contextId from another by."""
    sent = in_metadata(name)
    return f"{sent['contextId']}{'/0' if sent.get('encoded') == 0 else ''}"


def customer_of(cpf: object) -> str:
    """Return whose CPF that is."""
    return next((name for name, value in _CPFS.items() if value == cpf), str(cpf))


def answer(says: str) -> tuple[int, object]:
    """Return what PS7 answers: a failure, or a customer."""
    if says in FAILURES:
        return _STATUS_CODES[says], {}
    cpf = _CPFS.get(says, says)
    return 200, {"code": "0", "payload": {"u_cpf": cpf, "u_ag": cpf[:4], "u_id": "AUT"}}


def violated(walk: Walk, subject: Subject) -> str | None:
    """Let a walk happen; return what must not be and is."""
    conversation = Conversation(walk.bot, subject)
    try:
        for step in walk.steps:
            conversation.step(step)
        must(not conversation.unsealed, conversation.unsealed)
    except Violation as violation:
        return str(violation)
    return None
