"""The rules of a run: which one decides, what it writes, and what is logged."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from actions.ps7 import Outcome
from actions.ps7.api import telemetry
from actions.ps7.dialogue.context_id import fingerprint, unusable
from actions.ps7.dialogue.rules import CONTEXT_RULES, VERIFY_RULES, Run, decide
from actions.ps7.dialogue.seal import MAX_LOGGED_OUT
from actions.ps7.dialogue.situation import FACTS
from tests.support.talk import (
    ANA,
    FOUND,
    HELD,
    HOUR,
    Talk,
    signed,
    talk_with,
)

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
TABLES = {"context": CONTEXT_RULES, "verify": VERIFY_RULES}

# Which rule decides


@pytest.mark.parametrize("table", TABLES)
def test_every_combination_of_facts_reaches_a_rule_and_every_rule_is_reached(table: str) -> None:
    """The last rule asks for no fact; no rule is hidden behind those before it."""
    rules = TABLES[table]
    asked = sorted({fact for rule in rules for fact in rule.when})
    assert set(asked) <= FACTS.keys()
    reached = set()
    for values in product((False, True), repeat=len(asked)):
        facts = dict(zip(asked, values, strict=True))
        rule = decide(rules, SimpleNamespace(**facts))
        reached.add(rule)
        assert all(facts[fact] for fact in rule.when)
        for earlier in rules[: rules.index(rule)]:
            assert not all(facts[fact] for fact in earlier.when)
    assert reached == set(rules)


def test_a_table_without_a_last_rule_is_a_mistake() -> None:
    """The last one has to ask for no fact."""
    with pytest.raises(LookupError):
        decide((), SimpleNamespace())


def test_every_fact_is_of_some_rule() -> None:
    """In one of the tables; and each rule says what it does, in a sentence."""
    rules = (*CONTEXT_RULES, *VERIFY_RULES)
    assert {fact for rule in rules for fact in rule.when} == FACTS.keys()
    assert all(rule.meaning.endswith(".") for rule in rules)


def decided(run: Run, changes: object) -> str:
    """Return the rule that decided a run, and the status that it sets."""
    sets = isinstance(changes, dict) and "ps7_status" in changes
    return f"{run.rule.name}: {run.outcome.value}" if sets else run.rule.name


def context(talk: Talk) -> str:
    run = talk.new_run()
    return decided(run, run.context())


def verify(talk: Talk) -> str:
    run = talk.new_run()
    return decided(run, run.verify())


UNUSABLE, TAMPERED, OVER = (
    "unusable: invalid",
    "no-seal-behind: tampered",
    "session-over: expired",
)
CONTEXT = {
    # held: nothing found in the next session; in this one the same, another, not usable
    **dict.fromkeys(HELD, ("nothing-held: missing", "look-up", "look-up", UNUSABLE)),
    "ok": (OVER, "held", "look-up", UNUSABLE),
    "invalid": ("nothing-held: missing", "failed-before", "look-up", "unusable"),
    "rejected": ("nothing-held: missing", "failed-before", "look-up", UNUSABLE),
    "logged out": ("nothing-held", "logged-out", "look-up", UNUSABLE),
    "older": (OVER, "look-up", "too-many: rejected", UNUSABLE),
    **dict.fromkeys(("ok, too old", "wiped"), (OVER, "look-up", "look-up", UNUSABLE)),
    "format of before": (OVER, "look-up", "look-up", UNUSABLE),
    **dict.fromkeys(("not ours", "a status alone"), (TAMPERED, "look-up", "look-up", UNUSABLE)),
}
VERIFY = {
    **dict.fromkeys(HELD, ("nothing-held",) * 4),
    "ok": (OVER, "held", *("another-found: missing",) * 2),
    "ok, too old": (OVER, "held-too-old: expired", *("another-found: missing",) * 2),
    "format of before": (OVER,) * 4,
    **dict.fromkeys(("wiped", "older"), (OVER, *(TAMPERED,) * 3)),
    **dict.fromkeys(("not ours", "a status alone"), (TAMPERED,) * 4),
}


@pytest.mark.parametrize("held", HELD)
def test_what_is_held_and_found_decides(held: str) -> None:
    """The documented tables, for conversations as Rasa leaves them."""
    assert tuple(context(talk_with(held, found)) for found in FOUND) == CONTEXT[held]
    assert tuple(verify(talk_with(held, found)) for found in FOUND) == VERIFY[held]


@pytest.mark.parametrize(
    ("held", "said"),
    [(name, name) for name in ("invalid", "denied", "unavailable", "rejected")]
    + [("logged out", "missing"), ("expired", "expired")],
)
def test_a_verification_contradicts_a_status(held: str, said: str) -> None:
    """The status claims a customer, and the held seal names nobody, or an earlier session's."""
    for found in FOUND:
        talk = talk_with(held, found)
        talk.writes(ps7_status="ok")
        rule = "logged-out" if (held, found) == ("logged out", "same") else "failed-before"
        assert verify(talk) == (OVER if found == "none" else f"{rule}: {said}")


@pytest.mark.parametrize(
    ("seconds", "decision"),
    [(-0.1, "look-up"), (0, "failed-before"), (29.9, "failed-before"), (30, "look-up")],
)
def test_how_long_ps7_is_not_asked_about_what_it_did_not_know(
    seconds: float, decision: str
) -> None:
    """For 30 s, by the clock of the server that asks."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    talk.now += timedelta(seconds=seconds)
    assert context(talk) == decision


@pytest.mark.parametrize("outcome", [Outcome.INVALID, Outcome.REJECTED])
def test_a_failure_of_an_earlier_session_is_not_held(outcome: Outcome) -> None:
    """PS7 may know by now; and what could not be used is refused anew."""
    talk = Talk()
    talk.meets("ana", outcome)
    talk.says("ana", opens="rasas")
    assert context(talk) == "look-up"
    talk = Talk()
    talk.meets("two words")
    talk.says("two words", opens="rasas")
    assert context(talk) == "unusable"


def _two_servers(talk: Talk) -> None:
    """Let a second server seal ana, who is logged out by a seal of the same number."""
    talk.meets("ana")
    talk.is_sealed_by_two(logged_out=(ANA,), customer=None)


def test_a_refused_arrival_has_its_rule() -> None:
    """Only a signed token is an arrival here."""
    talk = Talk(runtime=signed())
    talk.says("ana")
    assert context(talk) == "arrival-refused: invalid"


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what stands in the log, with levels, and begin anew."""
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return lines


# Seals


@pytest.mark.parametrize("held", HELD)
@pytest.mark.parametrize(
    "run",
    [Talk.run, Talk.verifies, Talk.forgets, Talk.starts_session],
    ids=lambda run: run.__name__,
)
def test_every_run_leaves_the_newest_seal_in_the_slot(held: str, run: Any) -> None:  # noqa: ANN401
    """Once any was seen. A second run of the same kind right after it finds nothing to do."""
    for found in FOUND:
        talk = talk_with(held, found)
        before = talk.situation
        run(talk)
        after = talk.situation
        assert not before.seals or after.newest is not None
        assert after.newest is after.in_slot, found
        assert set(before.log_outs) <= set(after.log_outs), found
        if run in (Talk.run, Talk.verifies):
            assert run(talk) == {}, found


def test_what_was_cleared_before_is_not_said_anew() -> None:
    """The status was `expired` already, and set by no event of this turn."""
    talk = Talk()
    talk.meets("ana")
    talk.writes(ps7_status="expired")
    talk.says(opens="rasas")
    for _ in range(2):
        talk.run()
        assert (talk.slots["ps7_status"], talk.seal.number) == ("expired", 2)
    assert talk.rule == "still-expired"


def test_a_customer_of_this_session_who_is_wiped_out_is_cleared() -> None:
    """Nothing claims them any more, and nothing is at hand."""
    talk = Talk()
    talk.meets("ana")
    talk.meets("two words")
    for event in talk.events:
        event["metadata"] = {}
    talk.writes(ps7_context=None, ps7_status=None, cpf="52998224725")
    talk.run()
    assert (talk.rule, talk.says_now) == ("gone", ("missing", None))


@pytest.mark.parametrize(
    ("said", "outcome"), [("missing", "missing"), ("typed", "missing"), ([], "missing")]
)
def test_a_verification_that_sets_nothing_reports_what_is_said(said: object, outcome: str) -> None:
    """Whatever the held seal says of a lookup that failed."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    talk.writes(ps7_status=said)
    run = talk.new_run()
    assert (run.verify(), run.rule.name, run.outcome.value) == ({}, "nothing-held", outcome)


def test_a_verification_of_who_was_logged_out_elsewhere() -> None:
    """By a second server, under the same number; whatever the status says."""
    talk = Talk()
    talk.meets("ana")
    talk.is_sealed_by_two(logged_out=(ANA,), customer=None)
    talk.writes(ps7_status="denied")
    assert verify(talk) == "logged-out: missing"


def test_the_seal_keeps_what_the_call_s_domain_leaves_to_the_plugin() -> None:
    """The payload is reduced to it; a slot that the bot fills by itself is not written."""
    talk = Talk()
    talk.says("ana")
    domain = {"slots": {"agency": {"mappings": [{"type": "from_text"}]}}}
    run = Run(talk.tracker, talk.runtime, talk.now, domain)
    assert not isinstance(run.context(), dict)
    payload = {"u_cpf": "1", "u_ion": "2"}
    customer = talk.customer("ana").model_copy(update={"payload": payload})
    changes = run.looked_up(Outcome.OK, customer)
    assert set(changes) == {"ps7_status", "ps7_context", "cpf"}
    seal = talk.runtime.sealer.open(changes["ps7_context"], talk.sender_id)
    assert seal is not None
    assert seal.customer is not None
    assert seal.customer.payload == {"u_cpf": "1"}


def test_what_a_seal_says() -> None:
    """About one arrival, with the next number; an earlier customer is no part of it."""
    talk = Talk()
    talk.meets("diego")
    seal = talk.meets("ana", encoded=1)
    assert (seal.number, seal.outcome, seal.sealed_at) == (2, Outcome.OK, talk.now)
    assert (seal.context_id, seal.encoded, seal.fingerprint) == ("ana", 1, ANA)
    assert seal.session == talk.situation.history.mark
    assert (seal.customer, seal.logged_out) == (talk.customer("ana"), ())


@pytest.mark.parametrize("value", ["two words", ["no", "text"], 1.5])
def test_what_cannot_be_used_is_sealed_without_a_contextid(
    value: object, caplog: pytest.LogCaptureFixture
) -> None:
    """PS7 cannot be asked about it; the log has the digest of its fingerprint."""
    caplog.set_level(logging.INFO)
    talk = Talk()
    talk.meets("ana")
    seal = talk.meets(value)
    ((_, line),) = logged(caplog)
    assert " reason=unusable_context_id " in line
    assert line.endswith(f"context={talk.runtime.client.digest(unusable(value))}")
    assert (seal.outcome, seal.fingerprint) == (Outcome.INVALID, unusable(value))
    assert (seal.context_id, seal.number) == (None, 2)


def test_log_outs_add_up_to_so_many() -> None:
    """64, the newest first; one that fell out of the seal counts as long as another shows it."""
    talk = Talk()
    names = [f"c{number}" for number in range(MAX_LOGGED_OUT + 2)]
    for name in names:
        talk.says(name)
        talk.forgets()
        talk.run()
        assert talk.asked == [], "the newest log-out holds"
    newest_first = tuple(fingerprint(name) for name in reversed(names))
    assert talk.seal.logged_out == newest_first[:MAX_LOGGED_OUT]
    assert tuple(talk.situation.log_outs) == newest_first
    assert talk.verifies() == {}
    talk.meets("c0")
    assert talk.says_now == ("missing", None)


def test_a_log_out_where_no_customer_is_known_leaves_nothing() -> None:
    """No seal, and no customer: also what a form filled in goes."""
    talk = Talk()
    talk.writes(cpf="typed")
    assert talk.forgets() == {"cpf": None, "ps7_status": "missing"}


# `tampered` and `expired`


@pytest.mark.parametrize("said", ["tampered", "expired"])
def test_it_stays_said_until_the_next_message(said: str) -> None:
    """A second run must not hide it."""
    talk = Talk()
    talk.meets("ana")
    talk.says(opens="rasas")
    if said == "tampered":
        talk.run()
        talk.says().writes(ps7_context="forged")
    talk.verifies()
    talk.happens("action", name="action_check")
    for run in (talk.run, talk.verifies, talk.run):
        run()
        assert talk.slots["ps7_status"] == said
    talk.says()
    talk.run()
    assert talk.slots["ps7_status"] == "missing"


def test_it_stays_said_where_no_seal_of_ours_is_left() -> None:
    """As long as nothing else is claimed."""
    talk = Talk()
    talk.writes(ps7_context="forged", cpf="typed")
    assert talk.run() == {"cpf": None, "ps7_context": None, "ps7_status": "tampered"}
    assert talk.run() == {}
    talk.says()
    assert talk.run() == {"ps7_status": "missing"}


# Slots of the bot's own that go with a customer


def _overwrites(**slots: object) -> Callable[[Talk], object]:
    return lambda talk: talk.writes(**slots)


STEPS: list[tuple[str | None, Callable[[Talk], object], bool]] = [
    # which customer is known before, what happens then, and whether they stay
    (None, lambda talk: talk.meets("two words"), True),
    (None, lambda talk: talk.meets("ana"), True),
    (None, lambda talk: talk.forgets(), False),
    (None, lambda talk: talk.meets("ana", Outcome.REJECTED), True),
    (None, _overwrites(ps7_context="forged"), False),
    (None, _overwrites(ps7_status="ok"), False),
    ("ana unavailable", lambda talk: talk.meets("ana", Outcome.OK), True),
    ("ana", lambda talk: talk.says(), True),
    ("ana", lambda talk: talk.meets("ana", opens="rasas"), True),
    ("ana", lambda talk: talk.says(opens="ours"), False),
    ("ana", lambda talk: talk.meets("ana", encoded=1), True),
    ("ana", lambda talk: _later(talk).meets("ana"), True),
    ("ana", lambda talk: _later(talk).meets("ana", Outcome.UNAVAILABLE), False),
    ("ana", lambda talk: _later(talk).verifies(), False),
    ("ana", lambda talk: talk.meets("diego"), False),
    ("ana", lambda talk: talk.says("diego", opens="ours"), False),
    ("ana", lambda talk: talk.meets("two words"), False),
    ("ana", lambda talk: talk.forgets(), False),
    ("ana", lambda talk: talk.starts_session(), False),
    ("ana", _overwrites(cpf="typed"), False),
    ("ana", _overwrites(ps7_status="missing"), False),
    ("ana", _overwrites(ps7_context=None), False),
    ("ana", _overwrites(ps7_context=None, ps7_status=None), False),
    ("ana", _overwrites(ps7_context="forged", ps7_status=None), False),
]


def _later(talk: Talk) -> Talk:
    talk.now += HOUR
    return talk


@pytest.mark.parametrize(("known", "happens", "stay"), STEPS)
def test_when_own_slots_go(
    known: str | None, happens: Callable[[Talk], object], stay: bool
) -> None:
    """With the customer, by whatever way: they stay with the same one, and where there was none."""
    talk = Talk()
    if known:
        name, _, failure = known.partition(" ")
        talk.meets(name, Outcome(failure or "ok"))
    talk.writes(balance="12")
    happens(talk)
    talk.run()
    assert talk.slots["balance"] == ("12" if stay else None)


# What is logged


def _log_out_undone(talk: Talk) -> None:
    talk.meets("ana")
    seal = talk.slots["ps7_context"]
    talk.forgets()
    talk.writes(ps7_context=seal, ps7_status="ok")


FOREIGN = "A seal was refused: it is not ours, or not of this conversation"
CLAIMED = "The slots claimed a customer with no seal of ours behind them: cleared"
LINES: list[tuple[Callable[[Talk], object], list[str]]] = [
    (lambda talk: (talk.meets("ana", Outcome.REJECTED), talk.writes(cpf="typed")), []),
    (lambda talk: talk.meets("ana"), []),
    (_log_out_undone, ["The status claimed a customer; the seal says missing"]),
    (
        lambda talk: (
            talk.meets("ana", Outcome.INVALID),
            talk.writes(ps7_status="OK", cpf="typed"),
        ),
        ["The status claimed a customer; the seal says invalid"],
    ),
    (_overwrites(ps7_status="ok", cpf="typed"), [CLAIMED]),
    (_overwrites(ps7_context="forged"), [FOREIGN, CLAIMED]),
    (
        lambda talk: (talk.meets("ana"), talk.writes(cpf="typed", agency="typed")),
        ["Slots restored from the seal: cpf, agency"],
    ),
]


@pytest.mark.parametrize(("happens", "lines"), LINES)
def test_what_something_else_wrote_is_warned_of(
    happens: Callable[[Talk], object], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Once: what the run did about it, and nothing of what stood there."""
    talk = Talk()
    happens(talk)
    caplog.clear()
    talk.run()
    assert logged(caplog) == [("WARNING", line) for line in lines]
    assert (talk.slots["cpf"] == "typed") is (talk.slots["ps7_status"] == "rejected")
    talk.run()
    assert logged(caplog) == []


def test_a_refused_seal_names_the_key_that_is_not_set(caplog: pytest.LogCaptureFixture) -> None:
    """The usual cause: the server was started again, and made another key."""
    talk = Talk()
    talk.runtime.settings.model_fields_set.discard("seal_keys")
    talk.says().writes(ps7_context="of before")
    talk.run()
    hint = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
    assert logged(caplog)[0] == ("WARNING", FOREIGN + hint)


def test_restored_slots_refused_seals_and_arrivals_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For alerts on metrics."""
    counted: list[object] = []
    for name in ("slots_restored", "seals_refused", "arrivals_refused"):
        add = partial(lambda *said: counted.append(said), name)
        monkeypatch.setattr(telemetry, name, SimpleNamespace(add=add))
    talk = Talk(runtime=signed())
    talk.meets(talk.token("ana"))
    talk.writes(cpf="typed", agency="typed")
    talk.run()
    talk.writes(ps7_context="forged")
    talk.run()
    talk.meets("ana")
    assert counted == [
        ("slots_restored", 2),
        ("seals_refused", 1),
        ("arrivals_refused", 1, {"reason": "arrival_signature"}),
    ]


def test_a_run_knows_whether_metadata_came_without_a_contextid() -> None:
    """What Rasa itself adds is none; where something was found, nobody looked."""
    talk = Talk()
    brought = []
    for metadata in ({}, {"model_id": "m"}, {"page": 1}, {"page": 1}, {"contextId": "ana"}):
        talk.happens("user", text="oi", metadata=metadata)
        run = talk.new_run()
        run.context()
        brought.append(run.metadata)
    assert brought == [False, False, True, True, None]


def refusals() -> list[tuple[Callable[[Talk], object], str, str | None]]:
    """List what is refused, the outcome and reason in the log, and why in words."""

    def logged_out(talk: Talk) -> None:
        talk.says(talk.token("ana"))
        talk.forgets()
        talk.says(talk.token("diego"))
        talk.run()
        talk.says(talk.token("ana"))

    def too_many(talk: Talk) -> None:
        for name in ("ana", "diego"):
            talk.says(talk.token(name))
            talk.run()
        talk.says(talk.token("elisa"))

    def too_late(talk: Talk) -> None:
        token = talk.token("ana")
        talk.now += timedelta(seconds=120)
        talk.says(token)

    return [
        (
            lambda talk: talk.says("ana", correlationId="ana"),
            *("invalid arrival_signature", "no key of PS7_ARRIVAL_KEYS"),
        ),
        (
            lambda talk: talk.says(talk.token("ana", seconds=121)),
            *("invalid arrival_claims", "claims of its token are missing"),
        ),
        (
            lambda talk: talk.says(Talk(sender_id="sender-2", now=talk.now).token("ana")),
            *("invalid arrival_conversation", "its token was made for another conversation"),
        ),
        (too_late, "invalid arrival_time", "its token was no longer valid as it came"),
        (too_many, "rejected too_many_context_ids", "this session has asked about too many"),
        (logged_out, "missing forgotten", None),
    ]


@pytest.mark.parametrize(("happens", "line", "words"), refusals())
def test_a_refusal_is_one_line_of_a_lookup_that_sent_nothing(
    happens: Callable[[Talk], object],
    line: str,
    words: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It can be followed by conversation and contextId; a refused arrival says why, in words."""
    talk = Talk(runtime=signed())
    happens(talk)
    caplog.clear()
    caplog.set_level(logging.INFO)
    asked = list(talk.asked)
    talk.run()
    lines = logged(caplog)
    assert talk.asked == asked
    outcome, reason = line.split()
    pattern = (
        f"PS7 lookup: outcome={outcome} reason={reason} status=- attempts=0 ms=0 "
        f"correlation={UUID} context=[0-9a-f]{{12}}"
    )
    assert (lines[0][0], bool(re.fullmatch(pattern, lines[0][1]))) == ("INFO", True), lines
    assert [level for level, _ in lines[1:]] == (["WARNING"] if words else [])
    assert all(text.startswith("Arrival refused: ") and str(words) in text for _, text in lines[1:])
    assert not re.search("ana|diego|elisa|eyJ|sender", str(lines))
    talk.says()
    talk.run()
    assert logged(caplog) == [], "and once"


# Correlation ids


def test_a_correlation_id_is_the_channels_or_one_of_our_own() -> None:
    """Ours is the same for a conversation; one that repeats an identity is none."""
    ids = []
    for sender_id, given in [
        *(("s1", "c-1"), ("s1", None), ("s1", "ana"), ("s1", "s1"), ("s1", "two words")),
        ("s2", None),
    ]:
        talk = Talk(sender_id=sender_id)
        talk.runtime.correlation = CORRELATION
        talk.says("ana", correlationId=given)
        run = talk.new_run()
        assert run.situation.found is not None
        ids.append(run.correlation_id())
    talk = Talk(sender_id="s1")
    talk.runtime.correlation = CORRELATION
    assert talk.new_run().correlation_id() == ids[1], "where nothing was found"
    given, ours, *same, another = ids
    assert given == "c-1"
    assert same == [ours] * 3
    assert another != ours
    assert re.fullmatch(UUID, ours)
    assert CORRELATION.uuid("s1") != Talk().runtime.correlation.uuid("s1"), "by the seal key"


CORRELATION = Talk().runtime.correlation
