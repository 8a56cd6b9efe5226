"""What a run does: which rule decides, what it writes and seals, and what is logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace

import pytest

from actions.ps7 import Outcome, Reason, telemetry
from actions.ps7.conversation.decision import (
    Question,
    Rule,
    correlation_id,
    forget,
    look_up,
    slot_events,
    verify,
)
from actions.ps7.conversation.seal import Answer, Contents
from actions.ps7.outcomes import ARRIVAL_REFUSED
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY
from tests.support.log import Log
from tests.support.talk import (
    CPF,
    FORMAT_BEFORE,
    Decide,
    Talk,
    a_bot,
    signed,
)

Happens = Callable[[Talk], object]
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# Which rule decides


def held(outcome: Outcome, seconds: float = 0, **slots: object) -> Happens:
    """Return what looks ana up so many seconds ago, and lets something write slots since."""

    def happens(talk: Talk) -> None:
        talk.arrives("ana", outcome).later(seconds=seconds)
        talk.set_slots(**slots)

    return happens


def older_seal(talk: Talk) -> None:
    """Write the seal about ana again after another one."""
    seal = talk.arrives("ana").slots["ps7_context"]
    talk.arrives("diego").set_slots(ps7_context=seal)


def expired(talk: Talk) -> None:
    """Let the time of ana be over, and a session after hers begin."""
    talk.arrives("ana").later(hours=1)
    talk.comes_back().look_up()


# By what is found: nothing in the next session; in this one the same, another, not usable; and the
# same in the next session.
FOUND: list[Happens] = [
    lambda talk: talk.comes_back().brings(),
    lambda talk: talk.brings("ana"),
    lambda talk: talk.brings("elisa"),
    lambda talk: talk.brings("two words"),
    lambda talk: talk.comes_back("ana"),
]
NOBODY, ASKS, UNUSABLE = "nothing-held: missing", "look-up", "unusable: invalid"
OVER, TAMPERED = "session-over: expired", "no-seal-behind: tampered"
NEW = (NOBODY, ASKS, ASKS, UNUSABLE, ASKS)
KNOWN = (OVER, "held", ASKS, UNUSABLE, ASKS)
FULL = (OVER, "held", "too-many: rejected", UNUSABLE, ASKS)
STALE = (OVER, ASKS, ASKS, UNUSABLE, ASKS)
WAITS = (NOBODY, "failed-before", ASKS, UNUSABLE, ASKS)
INVALID = (NOBODY, "failed-before", ASKS, "unusable", ASKS)
CLAIMS = (TAMPERED, ASKS, ASKS, UNUSABLE, ASKS)
OUT = ("nothing-held", "logged-out", ASKS, UNUSABLE, "logged-out")
# Of `verify`
GONE = ("another-found: missing",) * 2
STAYS = ("nothing-held",) * 5
SHOWN = (OVER, "held", *GONE, OVER)
WIPED = (OVER, "held", TAMPERED, TAMPERED, OVER)
TOO_OLD = (OVER, "held-too-old: expired", *GONE, OVER)
HELD: dict[str, tuple[Happens, tuple[str, ...], tuple[str, ...]]] = {
    "nothing": (lambda _: None, NEW, STAYS),
    "ok": (held(Outcome.OK), KNOWN, SHOWN),
    "ok, too old": (held(Outcome.OK, 3600), STALE, TOO_OLD),
    "ok, wiped": (held(Outcome.OK, ps7_context=None), KNOWN, WIPED),
    "older": (older_seal, FULL, SHOWN),
    "invalid": (held(Outcome.INVALID), INVALID, STAYS),
    "rejected": (held(Outcome.REJECTED, 28.9), WAITS, STAYS),
    "rejected, this moment": (held(Outcome.REJECTED, -1), WAITS, STAYS),
    "rejected, 30 s ago": (held(Outcome.REJECTED, 29), NEW, STAYS),
    "rejected, clock ahead": (held(Outcome.REJECTED, -1.1), NEW, STAYS),
    "rejected, wiped": (held(Outcome.REJECTED, ps7_context=None), WAITS, STAYS),
    "denied": (held(Outcome.DENIED), NEW, STAYS),
    "unavailable": (held(Outcome.UNAVAILABLE), NEW, STAYS),
    "expired": (expired, NEW, STAYS),
    "logged out": (lambda talk: talk.arrives("ana").run(FORGET), OUT, STAYS),
    "not ours": (lambda talk: talk.set_slots(ps7_context="forged"), CLAIMS, (TAMPERED,) * 5),
    "of before": (lambda talk: talk.set_slots(ps7_context=FORMAT_BEFORE), STALE, (OVER,) * 5),
    "a status": (lambda talk: talk.set_slots(ps7_status="OK"), CLAIMS, (TAMPERED,) * 5),
}
"""What may be held, about ana if about anybody; and how the two actions then decide."""


@pytest.mark.parametrize(("happens", "looks_up", "verifies"), HELD.values(), ids=HELD)
def test_held_and_found_decide_by_the_documented_tables(
    happens: Happens, looks_up: tuple[str, ...], verifies: tuple[str, ...]
) -> None:
    """The documented tables, for conversations as Rasa leaves them."""
    for number, found in enumerate(FOUND):
        talk = Talk()
        happens(talk)
        found(talk)
        assert decided(look_up, talk) == looks_up[number], f"look_up, {number}"
        assert decided(verify, talk) == verifies[number], f"verify, {number}"


def decided(decide: Decide, talk: Talk) -> str:
    """Return the rule that decides a run, and the status that it sets."""
    decision = decide(talk.state)
    if isinstance(decision, Question):
        return "look-up"
    sets = "ps7_status" in decision.slots
    return f"{decision.rule}: {decision.outcome.value}" if sets else decision.rule.value


def test_these_cases_have_every_rule() -> None:
    """But for those of a table and a test of their own."""
    rows = [each for _, looks_up, verifies in HELD.values() for each in (*looks_up, *verifies)]
    elsewhere = {"arrival-refused", "still-expired", "still-tampered", "forget"}
    assert {each.partition(":")[0] for each in rows} | elsewhere == {rule.value for rule in Rule}


# Seals


def test_the_seal_keeps_what_the_call_s_domain_leaves_to_the_plugin(log: Log) -> None:
    """The payload is reduced to it; a slot that the bot fills by itself is left and named."""
    talk = Talk().brings("ana")
    domain = {"slots": {"agency": {"mappings": [{"type": "from_text"}]}}}
    customer = talk.customer("ana", payload={"u_cpf": "1", "u_ion": "2"})
    assert set(talk.hears(customer, domain=domain)) == {"ps7_status", "ps7_context", "cpf"}
    own = "The bot's domain fills the slot agency by from_text, so it is the bot's own"
    said = f"{own} and left alone; PS7_SLOT_NAMES can name another slot for agency"
    assert log() == [f"WARNING {said}"]
    talk.set_slots(agency="typed")
    for _ in range(2):
        decision = talk.decides(verify, domain=domain)
        decision.report.tell("action", talk.noted)
        assert decision.customer == talk.customer("ana", payload={"u_cpf": "1"})
        assert (decision.slots, log()) == ({}, [])
    assert "agency" not in talk.decides(forget, domain=domain).slots


def test_a_seal_is_about_one_arrival() -> None:
    """An earlier customer is no part of it."""
    talk = Talk().arrives("diego").arrives("ana", encoded=1)
    assert talk.seal == Contents(
        outcome=Outcome.OK,
        sealed_at=talk.utc_now,
        session=talk.state.history.mark,
        answer=Answer(context_id="ana", encoded=1, customer=talk.customer("ana")),
    )


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.REJECTED])
def test_an_older_answer_that_counts_again_becomes_the_newest_seal(outcome: Outcome) -> None:
    """With its own time: it neither lasts nor waits any longer. A verification leaves it too."""
    talk = Talk(a_bot(max_contexts=9)).arrives("ana", outcome)
    first = talk.seal
    talk.arrives("diego").arrives("ana")
    assert (talk.asked, talk.seal) == (["ana", "diego"], first)
    newest = talk.state.newest_seal
    assert newest is not None
    assert newest.text == talk.slots["ps7_context"]
    assert talk.look_up() == {}
    talk.arrives("diego").brings("ana").run(VERIFY)
    assert (talk.slots["ps7_status"], talk.seal) == (outcome, first)


def test_a_session_that_may_ask_about_no_other_still_asks_about_its_own() -> None:
    talk = Talk(a_bot(max_contexts=2)).arrives("ana").arrives("diego").later(hours=1)
    assert talk.arrives("elisa").arrives("ana").asked == ["ana", "diego", "ana"]


# `tampered` and `expired`


@pytest.mark.parametrize("said", ["tampered", "expired"])
def test_it_stays_said_until_the_next_message(said: str) -> None:
    """A second run must not hide it."""
    talk = Talk().arrives("ana").comes_back()
    if said == "tampered":
        talk.look_up()
        talk.brings().set_slots(ps7_context="forged")
    talk.run(VERIFY)
    for action in (LOOK_UP, VERIFY, LOOK_UP):
        talk.run(action)
        assert talk.slots["ps7_status"] == said
    assert talk.rule == f"still-{said}"
    assert talk.arrives().slots["ps7_status"] == "missing"


def test_it_stays_said_where_no_seal_of_ours_is_left() -> None:
    """As long as nothing else is claimed."""
    talk = Talk().set_slots(ps7_context="forged", cpf="typed")
    assert talk.look_up() == {"cpf": None, "ps7_context": None, "ps7_status": "tampered"}
    assert talk.look_up() == {}
    assert talk.user().look_up() == {"ps7_status": "missing"}


# Slots of the bot's own that go with a customer

AWAY = Outcome.UNAVAILABLE
STAY: dict[str, Happens] = {
    "the first customer": lambda talk: sets(talk).arrives("ana"),
    "the customer whose CPF was typed": lambda talk: sets(talk, cpf=CPF["ana"]).arrives("ana"),
    "the first answer": lambda talk: sets(talk.arrives("ana", AWAY)).arrives("ana", Outcome.OK),
    "the same in a new session": lambda talk: sets(talk.arrives("ana")).comes_back("ana"),
    "the same, an hour later": lambda talk: sets(talk.arrives("ana")).later(hours=1).arrives("ana"),
}
GO: dict[str, Happens] = {
    "a log-out of nobody": lambda talk: sets(talk).run(FORGET),
    "a forged seal": lambda talk: sets(talk, ps7_context="forged"),
    "a CPF that was another's": lambda talk: sets(talk, cpf="typed").arrives("ana"),
    "a CPF that was empty": lambda talk: sets(talk, cpf="").arrives("ana"),
    "nobody in a new session": lambda talk: sets(talk.arrives("ana")).comes_back(),
    "a failure, an hour later": lambda talk: (
        sets(talk.arrives("ana")).later(hours=1).arrives("ana", AWAY)
    ),
    "another customer": lambda talk: sets(talk.arrives("ana")).arrives("diego"),
    "a forged CPF": lambda talk: sets(talk.arrives("ana"), cpf="typed"),
    "a forged status": lambda talk: sets(talk.arrives("ana"), ps7_status="missing"),
    "a wiped seal": lambda talk: sets(talk.arrives("ana"), ps7_context=None, ps7_status=None),
}


def sets(talk: Talk, **more: object) -> Talk:
    """Let the bot note a balance, and something write these slots."""
    return talk.set_slots(balance="12", **more)


@pytest.mark.parametrize("name", [*STAY, *GO])
def test_own_slots_go_with_the_customer_and_stay_with_the_same(name: str) -> None:
    """By whatever way; they stay where there was none."""
    talk = Talk()
    (STAY | GO)[name](talk)
    talk.look_up()
    assert talk.slots["balance"] == ("12" if name in STAY else None)


# What is logged

FOREIGN = "A seal was refused: it is not ours, or not of this conversation"
UNSET = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
CLAIMED = "The slots claimed a customer with no seal of ours behind them: cleared"
SAYS_OK = "The status claimed a customer; the seal says {}"
LINES: dict[str, tuple[Happens, list[str]]] = {
    "a form": (held(Outcome.REJECTED, cpf="typed"), []),
    "an undone log-out": (
        lambda talk: undone(talk.arrives("ana")).set_slots(ps7_status="ok"),
        [SAYS_OK.format("missing")],
    ),
    "a refusal undone": (held(Outcome.REJECTED, ps7_status="ok"), [SAYS_OK.format("rejected")]),
    # who was known then was so rightly
    "a refusal, and another": (
        lambda talk: talk.arrives("ana", Outcome.REJECTED).arrives("diego").brings("ana"),
        [],
    ),
    "a forged seal": (lambda talk: talk.set_slots(ps7_context="forged"), [FOREIGN, CLAIMED]),
    # the usual cause: the server was started again, and made another key
    "a seal from before a start": (
        lambda talk: started_again(talk).set_slots(ps7_context="of before"),
        [f"{FOREIGN}{UNSET}", CLAIMED],
    ),
    "forged slots": (
        held(Outcome.OK, cpf="typed", agency="typed"),
        ["Slots restored from the seal: cpf, agency"],
    ),
}


def undone(talk: Talk) -> Talk:
    """Log out, and write the seal of before again."""
    seal = talk.slots["ps7_context"]
    talk.run(FORGET)
    return talk.set_slots(ps7_context=seal)


def started_again(talk: Talk) -> Talk:
    """Let the server have made its seal key as it started."""
    talk.bot.settings.model_fields_set.discard("seal_keys")
    return talk


@pytest.mark.parametrize("name", LINES)
def test_what_something_else_wrote_is_warned_of_once(name: str, log: Log) -> None:
    """What the run did about it, and nothing of what was there."""
    happens, lines = LINES[name]
    talk = Talk()
    happens(talk)
    log()
    talk.look_up()
    said = [line for line in log() if not line.startswith("INFO")]
    assert said == [f"WARNING {line}" for line in lines]
    assert talk.slots["cpf"] != "typed" or name == "a form"
    talk.look_up()
    assert log() == []


def test_restored_slots_refused_seals_and_arrivals_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For alerts on metrics."""
    counted: list[object] = []
    for name in ("slots_restored", "seals_refused", "arrivals_refused"):
        add = partial(lambda *said: counted.append(said), name)
        monkeypatch.setattr(telemetry, name, SimpleNamespace(add=add))
    talk = Talk(signed())
    talk.arrives(talk.token("ana")).set_slots(cpf="typed", agency="typed").look_up()
    talk.set_slots(ps7_context="forged").look_up()
    talk.arrives("ana")
    refused = ("arrivals_refused", 1, {"reason": "arrival_signature"})
    assert counted == [("slots_restored", 2), ("seals_refused", 1), refused]


@pytest.mark.parametrize("failure", [Outcome.REJECTED, Outcome.INVALID])
def test_guesses_are_counted_over_the_sessions_of_a_conversation(
    failure: Outcome, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    """Whoever starts a session after each few contextIds is noticed: each fifth is an alert."""
    alerts: list[tuple[object, ...]] = []
    number = 0
    add = SimpleNamespace(add=lambda *said: alerts.append((number, *said)))
    monkeypatch.setattr(telemetry, "arrivals_refused", add)
    talk = Talk(a_bot(max_contexts=5))
    for number in range(1, 12):
        if number % 3 == 0:
            talk.expire_session()
        for seconds in (0, 30):  # it waits, and then it is asked again: that is none more
            talk.arrives(f"c{number}", failure).later(seconds=seconds).arrives(f"c{number}")
        if number % 4 == 0:
            talk.arrives("ana").run(FORGET)
    reason = {"reason": "too_many_context_ids"}
    assert alerts == [(5, 1, reason), (10, 1, reason)]
    line = "PS7 did not know 5 contextIds of one conversation"
    assert log().count(f"WARNING {line}") == 1


def test_metadata_without_a_contextid_is_known_and_named_once(log: Log) -> None:
    """Its keys, and what looks like one.

    What Rasa itself adds is none; where something was found, nobody looked.
    """
    talk = Talk()
    near = {"customData": {"contextId": "C-1"}}
    for metadata in ({}, {"model_id": "m"}, near, near, {"page": 1}, {"contextId": "ana", "x": 1}):
        talk.user(metadata=metadata).look_up()
    said = "WARNING A message brought metadata without a contextId; keys: "
    miss = "customData; customData.contextId looks like one: PS7_METADATA_KEYS"
    assert log() == [said + miss, f"{said}page"]


REFUSALS: dict[str, Callable[[Talk], list[str]]] = {
    # outcome and reason in the log of the last, and a word of why, by what arrives
    "invalid arrival_signature signed": lambda _: ["ana"],
    "invalid arrival_claims claims": lambda talk: [talk.token("ana", seconds=121)],
    "invalid arrival_conversation conversation": lambda _: [Talk(sender_id="s2").token("ana")],
    "invalid arrival_time valid": lambda talk: [talk.token("ana", ago=120)],
    "rejected too_many_context_ids others": lambda talk: [*map(talk.token, CPF)],
}


@pytest.mark.parametrize(("line", "brings"), REFUSALS.items(), ids=REFUSALS)
def test_a_refusal_is_one_line_of_a_lookup_that_sent_nothing(
    line: str, brings: Callable[[Talk], list[str]], log: Log
) -> None:
    """It can be followed by conversation and contextId, and says why, in words."""
    talk = Talk(signed())
    *before, last = brings(talk)
    for each in before:
        talk.arrives(each)
    asked = list(talk.asked)
    log()
    talk.arrives(last, correlationId=last)
    told, why = log()
    assert talk.asked == asked
    outcome, reason, word = line.split()
    assert talk.rule == ("arrival-refused" if outcome == "invalid" else "too-many")
    pattern = (
        f"INFO PS7 lookup: outcome={outcome} reason={reason} status=- attempts=0 ms=0 "
        f"correlation={UUID} context=[0-9a-f]{{12}}"
    )
    assert re.fullmatch(pattern, told)
    assert why == f"WARNING Arrival refused: {ARRIVAL_REFUSED[Reason(reason)]}"
    assert word in why
    assert not re.search("ana|diego|elisa|eyJ|sender", told)
    talk.arrives()
    assert log() == [], "and once"


def test_a_needed_slot_that_is_not_declared_is_named_once(log: Log) -> None:
    """By the bot's own name of it, and with what happens without it."""
    talk = Talk(a_bot(slot_names={"ps7_status": "estado"}))
    for _ in range(2):
        talk.decides(look_up, talk.brings().tracker).report.tell("action", talk.noted)
    said = "The bot's domain does not declare the slot estado: "
    assert log() == [f"WARNING {said}the dialogue cannot tell how a lookup ended"]


def test_a_refusal_has_the_channels_id_if_its_arrival_was_not_refused(log: Log) -> None:
    """What stands beside a contextId that is logged out is taken. It is named as in its lookup."""
    talk = Talk().arrives("ana")
    talk.run(FORGET)
    talk.comes_back("ana", correlationId="c-1").look_up()
    ends = f"correlation=c-1 context={talk.bot.digest('ana')}"
    assert re.search(f"reason=forgotten .* {ends}$", log()[-1])


def levels(talk: Talk, log: Log) -> list[str]:
    """Return the levels of the lines of a run."""
    log()
    talk.look_up()
    return [line.split()[0] for line in log()]


@pytest.mark.parametrize("first", ["first turn", "session start", "first turn after a start"])
def test_a_refusal_is_told_once_for_each_value_of_a_session(first: str, log: Log) -> None:
    """A page that sends an old token with each message makes one line, and one forgery."""
    told, silent = ["INFO", "WARNING"], list[str]()
    talk = Talk(signed(), session_start=first.endswith("start"))
    if first == "session start":
        talk.arrives("ana")
        assert levels(talk, log) == silent, "the session start said it"
    else:
        talk.brings("ana")
        log()
        assert levels(talk, log) == (silent if first.endswith("start") else told)
    assert levels(talk, log) == silent, "a second run of the turn"
    for value, lines in (
        *(("ana", silent), (None, silent), ("diego", told), ("ana", silent)),
        *(("Diego", told), ("diego", silent), ("diego ", told), (["ana"], told)),
    ):
        assert levels(talk.brings(value), log) == lines, value
    again = silent if talk.session_start else told
    assert levels(talk.comes_back("ana"), log) == again, "another session"


def test_a_token_that_was_good_when_it_came_is_refused_once_when_it_is_over(log: Log) -> None:
    """An earlier message brought the same, in time. Of a key that is gone, the log says nothing."""
    talk = Talk(signed(max_contexts=9))
    token = talk.token("ana")
    talk.arrives(token).arrives(talk.token("diego")).later(seconds=120)
    assert levels(talk.brings(token), log) == ["INFO", "WARNING"]
    assert levels(talk.brings(token), log) == []
    assert talk.says_now == ("invalid", None)
    talk.arrives(good := talk.token("elisa"))
    keys = [key.get_secret_value() for key in talk.bot.settings.seal_keys]
    talk.bot = a_bot(arrival_keys=["another-" * 4], seal_keys=keys)
    assert levels(talk.brings(good), log) == [], "nor is one whose key was dropped"
    assert talk.says_now == ("invalid", None)


# Correlation ids


def correlation(talk: Talk) -> str:
    return correlation_id(talk.state, talk.state.arrival())


def test_a_correlation_id_is_the_channels_or_one_of_our_own() -> None:
    """Ours is the same for a conversation; one that repeats an identity is none."""
    talk = Talk(sender_id="s1")
    other = Talk(sender_id="s2", bot=talk.bot).brings("ana")
    made = correlation(talk)
    assert re.fullmatch(UUID, made)
    assert correlation(other) != made
    for given in (None, "ana", "s1", "two words"):
        assert correlation(talk.brings("ana", correlationId=given)) == made
    assert correlation(talk.brings("ana", correlationId="c-1")) == "c-1"
    question = look_up(talk.brings("ana", correlationId="c-1", flowId="f-1").state)
    assert isinstance(question, Question)
    assert (question.correlation_id, question.arrival.flow_id) == ("c-1", "f-1")


# What is left alone, and what is not

FORM_STAYS: dict[str, Happens] = {
    "refused": lambda talk: typed(talk.arrives("two words")),
    "an earlier failure": lambda talk: typed(
        talk.arrives("ana", Outcome.REJECTED).comes_back().arrives()
    ),
    "nobody": lambda talk: typed(talk.arrives()),
    "the first run": lambda talk: typed(talk.brings()),
}
FORM_GOES: dict[str, Happens] = {
    "PS7 was away": lambda talk: typed(talk.arrives("ana", AWAY)).brings(),
    "refused now": lambda talk: typed(talk).brings("two words"),
    "refused after another": lambda talk: typed(talk.arrives("ana")).brings("two words"),
    "refused, and the status says so already": lambda talk: typed(
        talk.arrives("ana"), ps7_status="invalid"
    ).brings("two words"),
    "refused, and the status is ok": lambda talk: typed(
        talk.arrives("ana").arrives("two words"), ps7_status="ok"
    ),
}


def typed(talk: Talk, **more: object) -> Talk:
    """Let a form fill a slot, and something write these."""
    return talk.set_slots(cpf="typed", **more)


@pytest.mark.parametrize("name", [*FORM_STAYS, *FORM_GOES])
def test_what_a_form_asked_stays_while_nobody_is_known(name: str) -> None:
    """Whatever the seal in the slot is about; a refusal or lookup nulls what was there."""
    talk = Talk()
    (FORM_STAYS | FORM_GOES)[name](talk)
    talk.look_up()
    assert talk.slots["cpf"] == ("typed" if name in FORM_STAYS else None)
    assert talk.look_up() == {}


def test_a_report_says_what_the_run_did(caplog: pytest.LogCaptureFixture, log: Log) -> None:
    """For log and metrics: the rule, whether PS7 was asked, whether a contextId was there.

    For the search of a fault, rule and slots are a line at DEBUG, which has no value.
    """
    caplog.set_level("DEBUG", "actions.ps7")
    talk = Talk()
    nothing = talk.brings().decides(look_up).report
    asked = talk.brings("ana").decides(look_up).report
    talk.look_up()
    over = talk.comes_back().decides(look_up).report
    assert [nothing.rule, asked.rule, over.rule] == ["nothing-held", "look-up", "session-over"]
    assert [each.looked_up for each in (nothing, asked, over)] == [False, True, False]
    assert [each.without_context_id for each in (nothing, asked, over)] == [True, False, True]
    line = "DEBUG action: rule=look-up slots=['cpf', 'agency', 'ps7_context', 'ps7_status']"
    assert line in log()


def test_a_slot_to_set_is_an_event_as_rasa_takes_it() -> None:
    """Rasa writes the time by itself."""
    event = {"event": "slot", "timestamp": None, "name": "cpf", "value": "typed"}
    assert slot_events({"cpf": "typed"}) == [event]


@pytest.mark.parametrize("status", ["typed", {"a": 1}, True])
def test_a_status_that_is_no_outcome_is_told_as_missing(status: object) -> None:
    """A verification that writes nothing reports the slot as it is."""
    decision = Talk().set_slots(ps7_status=status).decides(verify)
    assert (decision.outcome, decision.slots) == (Outcome.MISSING, {})
