"""What a run does: which rule decides, what it writes and seals, and what is logged."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from types import SimpleNamespace

import pytest

from actions.ps7 import Outcome, Reason, telemetry
from actions.ps7.conversation.arrival import fingerprint
from actions.ps7.conversation.decision import (
    Question,
    Rule,
    correlation_id,
    look_up,
    slot_events,
    verify,
)
from actions.ps7.conversation.seal import MAX_LOGGED_OUT, Answer, Contents
from actions.ps7.outcomes import ARRIVAL_REFUSED
from tests.support.talk import (
    CPF,
    DIEGO,
    FOUND,
    HELD,
    HOUR,
    SECOND,
    Decide,
    Talk,
    a_bot,
    signed,
    talk_with,
)

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

# Which rule decides


def decided(decide: Decide, talk: Talk) -> str:
    """Return the rule that decides a run, and the status that it sets."""
    decision = decide(talk.state)
    if isinstance(decision, Question):
        return "look-up"
    sets = "ps7_status" in decision.slots
    return f"{decision.rule}: {decision.outcome.value}" if sets else decision.rule.value


UNUSABLE, TAMPERED = "unusable: invalid", "no-seal-behind: tampered"
OVER = "session-over: expired"
CONTEXT = {
    # held: nothing found in the next session; in this one the same, another, not usable; and the
    # same in the next session, about which PS7 is asked anew
    **dict.fromkeys(HELD, ("nothing-held: missing", "look-up", "look-up", UNUSABLE)),
    "ok": (OVER, "held", "look-up", UNUSABLE),
    "invalid": ("nothing-held: missing", "failed-before", "look-up", "unusable"),
    **dict.fromkeys(
        ("rejected", "rejected, this moment", "a failure, wiped"),
        ("nothing-held: missing", "failed-before", "look-up", UNUSABLE),
    ),
    "logged out": ("nothing-held", "logged-out", "look-up", UNUSABLE),
    "older": (OVER, "held", "too-many: rejected", UNUSABLE),
    "ok, too old": (OVER, "look-up", "look-up", UNUSABLE),
    "wiped": (OVER, "held", "look-up", UNUSABLE),
    "format of before": (OVER, "look-up", "look-up", UNUSABLE),
    **dict.fromkeys(("not ours", "a status alone"), (TAMPERED, "look-up", "look-up", UNUSABLE)),
}
VERIFY = {
    **dict.fromkeys(HELD, ("nothing-held",) * 4),
    "ok": (OVER, "held", *("another-found: missing",) * 2),
    "ok, too old": (OVER, "held-too-old: expired", *("another-found: missing",) * 2),
    "format of before": (OVER,) * 4,
    "wiped": (OVER, "held", *(TAMPERED,) * 2),
    "older": (OVER, "held", *("another-found: missing",) * 2),
    **dict.fromkeys(("not ours", "a status alone"), (TAMPERED,) * 4),
}


@pytest.mark.parametrize("held", HELD)
def test_held_and_found_decide_by_the_documented_tables(held: str) -> None:
    """The documented tables, for conversations as Rasa leaves them."""
    again = "logged-out" if held == "logged out" else "look-up"
    for decide, expected in (
        (look_up, (*CONTEXT[held], again)),
        (verify, (*VERIFY[held], VERIFY[held][0])),
    ):
        assert tuple(decided(decide, talk_with(held, found)) for found in FOUND) == expected


def test_these_cases_have_every_rule() -> None:
    """But for those of a table and a test of their own."""
    named = {
        each.partition(":")[0]
        for rows in (CONTEXT, VERIFY)
        for row in rows.values()
        for each in row
    }
    elsewhere = {"arrival-refused", "still-expired", "still-tampered", "forget"}
    assert named | elsewhere == {rule.value for rule in Rule}


@pytest.mark.parametrize(
    ("held", "expected"),
    [("denied", "failed-before: denied"), ("logged out", "logged-out: missing")],
)
def test_a_verification_contradicts_a_status(held: str, expected: str) -> None:
    """The status claims a customer, and the held seal names nobody."""
    talk = talk_with(held, "same")
    talk.writes(ps7_status="ok")
    assert decided(verify, talk) == expected


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what stands in the log, with levels, and begin anew."""
    lines = [(record.levelname, record.getMessage()) for record in caplog.records]
    caplog.clear()
    return lines


# Seals


def test_the_seal_keeps_what_the_call_s_domain_leaves_to_the_plugin() -> None:
    """The payload is reduced to it; a slot that the bot fills by itself is not written."""
    talk = Talk()
    talk.says("ana")
    domain = {"slots": {"agency": {"mappings": [{"type": "from_text"}]}}}
    customer = talk.customer("ana").model_copy(update={"payload": {"u_cpf": "1", "u_ion": "2"}})
    changes = talk.hears(customer, domain=domain)
    assert set(changes) == {"ps7_status", "ps7_context", "cpf"}
    assert talk.seal.customer == customer.model_copy(update={"payload": {"u_cpf": "1"}})


def test_a_seal_is_about_one_arrival() -> None:
    """An earlier customer is no part of it."""
    talk = Talk()
    talk.meets("diego")
    customer = talk.customer("ana")
    talk.meets("ana", encoded=1)
    assert talk.seal == Contents(
        outcome=Outcome.OK,
        sealed_at=talk.now,
        session=talk.state.history.mark,
        answer=Answer(
            context_id="ana",
            encoded=1,
            customer=customer.model_copy(update={"expires_at": talk.now + HOUR}),
        ),
    )


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.REJECTED])
def test_an_older_answer_that_counts_again_becomes_the_newest_seal(outcome: Outcome) -> None:
    """With its own time: it neither lasts nor waits any longer."""
    talk = Talk(bot=a_bot(max_contexts=9))
    talk.meets("ana", outcome)
    first = talk.seal
    talk.meets("diego")
    talk.meets("ana")
    assert (talk.asked, talk.seal) == (["ana", "diego"], first)
    newest = talk.state.newest_seal
    assert newest is not None
    assert newest.text == talk.slots["ps7_context"]
    assert talk.run() == {}


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
    assert talk.state.log_outs == newest_first
    assert talk.verifies() == {}
    talk.meets("c0")
    assert talk.says_now == ("missing", None)


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.REJECTED])
def test_a_seal_that_lacks_a_log_out_is_sealed_again_with_its_time(outcome: Outcome) -> None:
    """Another server logged somebody out meanwhile, without knowing of it."""
    talk = Talk()
    talk.meets("ana", outcome)
    before = talk.is_sealed_by_two(logged_out=(DIEGO,), answer=None, outcome=Outcome.MISSING)
    talk.now += 20 * SECOND
    talk.meets("ana")
    assert talk.seal == before.model_copy(update={"logged_out": (DIEGO,)})
    assert talk.asked == ["ana"]


def test_a_log_out_of_nobody_seals_nothing() -> None:
    """No contextId is at hand, and no seal was ever seen."""
    assert Talk().forgets() == {"ps7_status": "missing"}


DECODED = {
    # what is logged out; and what arrives then, PS7 says that it decoded diego from it
    "its own text": lambda talk: talk.says("diego").forgets(),
    "its text, with encoded 0": lambda talk: talk.says("diego", encoded=0).forgets(),
    "its Base64, with encoded 0": lambda talk: talk.says("ZGllZ28=", encoded=0).forgets(),
    "what PS7 decoded before": lambda talk: (
        talk.says("elisa"),
        talk.hears(talk.customer("elisa").model_copy(update={"decoded_context_id": "diego"})),
        talk.forgets(),
    ),
}


@pytest.mark.parametrize("log_out", DECODED.values(), ids=DECODED)
@pytest.mark.parametrize("encoded", [None, 0])
def test_another_name_of_a_context_id_that_is_logged_out_is_missing(
    log_out: Callable[[Talk], object], encoded: int | None
) -> None:
    """PS7 says what it decoded; from then on that name is logged out too, and not asked about."""
    talk = Talk(bot=a_bot(max_contexts=9))
    log_out(talk)
    asked = list(talk.asked)
    customer = talk.customer("ana").model_copy(update={"decoded_context_id": "diego"})
    talk.says("ana", encoded=encoded)
    talk.hears(customer)
    assert (talk.says_now, talk.seal.customer) == (("missing", None), None)
    talk.meets("ana", encoded=encoded)
    assert (talk.rule, talk.asked) == ("logged-out", asked)
    talk.says("elisa2")
    talk.hears(customer.model_copy(update={"decoded_context_id": "diego2"}))
    assert talk.says_now[0] == "ok", "nobody logged that one out"


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
    assert talk.rule == f"still-{said}"
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


STAY: dict[str, tuple[str | None, Callable[[Talk], object]]] = {
    # which customer is known before, and what happens then
    "the first customer": (None, lambda talk: talk.meets("ana")),
    "the customer whose CPF was typed": (
        None,
        lambda talk: talk.writes(cpf=CPF["ana"]).meets("ana"),
    ),
    "the first answer": ("ana unavailable", lambda talk: talk.meets("ana", Outcome.OK)),
    "the same in a new session": ("ana", lambda talk: talk.meets("ana", opens="rasas")),
    "the same, an hour later": ("ana", lambda talk: _later(talk).meets("ana")),
}
GO: dict[str, tuple[str | None, Callable[[Talk], object]]] = {
    "a log-out of nobody": (None, lambda talk: talk.forgets()),
    "a forged seal": (None, _overwrites(ps7_context="forged")),
    "a CPF that was another's": (None, lambda talk: talk.writes(cpf="typed").meets("ana")),
    "nobody in a new session": ("ana", lambda talk: talk.says(opens="ours")),
    "a failure, an hour later": (
        "ana",
        lambda talk: _later(talk).meets("ana", Outcome.UNAVAILABLE),
    ),
    "another customer": ("ana", lambda talk: talk.meets("diego")),
    "a forged CPF": ("ana", _overwrites(cpf="typed")),
    "a forged status": ("ana", _overwrites(ps7_status="missing")),
    "a wiped seal": ("ana", _overwrites(ps7_context=None, ps7_status=None)),
}


def _later(talk: Talk) -> Talk:
    talk.now += HOUR
    return talk


@pytest.mark.parametrize("name", [*STAY, *GO])
def test_own_slots_go_with_the_customer_and_stay_with_the_same(name: str) -> None:
    """By whatever way; they stay where there was none."""
    known, happens = (STAY | GO)[name]
    talk = Talk()
    if known:
        who, _, failure = known.partition(" ")
        talk.meets(who, Outcome(failure or "ok"))
    talk.writes(balance="12")
    happens(talk)
    talk.run()
    assert talk.slots["balance"] == ("12" if name in STAY else None)


# What is logged


def _log_out_undone(talk: Talk) -> None:
    talk.meets("ana")
    seal = talk.slots["ps7_context"]
    talk.forgets()
    talk.writes(ps7_context=seal, ps7_status="ok")


def _started_again(talk: Talk) -> None:
    talk.bot.settings.model_fields_set.discard("seal_keys")
    talk.writes(ps7_context="of before")


FOREIGN = "A seal was refused: it is not ours, or not of this conversation"
UNSET = "; PS7_SEAL_KEYS is not set, so none from before the last start opens"
CLAIMED = "The slots claimed a customer with no seal of ours behind them: cleared"
LINES: dict[str, tuple[Callable[[Talk], object], list[str]]] = {
    "a form": (lambda talk: (talk.meets("ana", Outcome.REJECTED), talk.writes(cpf="typed")), []),
    "an undone log-out": (
        _log_out_undone,
        ["The status claimed a customer; the seal says missing"],
    ),
    "a forged seal": (_overwrites(ps7_context="forged"), [FOREIGN, CLAIMED]),
    # the usual cause: the server was started again, and made another key
    "a seal from before a start": (_started_again, [f"{FOREIGN}{UNSET}", CLAIMED]),
    "forged slots": (
        lambda talk: (talk.meets("ana"), talk.writes(cpf="typed", agency="typed")),
        ["Slots restored from the seal: cpf, agency"],
    ),
}


@pytest.mark.parametrize(("happens", "lines"), LINES.values(), ids=LINES)
def test_what_something_else_wrote_is_warned_of_once(
    happens: Callable[[Talk], object], lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What the run did about it, and nothing of what was there."""
    talk = Talk()
    happens(talk)
    caplog.clear()
    talk.run()
    assert logged(caplog) == [("WARNING", line) for line in lines]
    assert (talk.slots["cpf"] == "typed") is (talk.slots["ps7_status"] == "rejected")
    talk.run()
    assert logged(caplog) == []


def test_restored_slots_refused_seals_and_arrivals_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For alerts on metrics."""
    counted: list[object] = []
    for name in ("slots_restored", "seals_refused", "arrivals_refused"):
        add = partial(lambda *said: counted.append(said), name)
        monkeypatch.setattr(telemetry, name, SimpleNamespace(add=add))
    talk = Talk(bot=signed())
    talk.meets(talk.token("ana"))
    talk.writes(cpf="typed", agency="typed").run()
    talk.writes(ps7_context="forged").run()
    talk.meets("ana")
    refused = ("arrivals_refused", 1, {"reason": "arrival_signature"})
    assert counted == [("slots_restored", 2), ("seals_refused", 1), refused]


@pytest.mark.parametrize("failure", [Outcome.REJECTED, Outcome.INVALID])
def test_guesses_are_counted_over_the_sessions_of_a_conversation(
    failure: Outcome, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever starts a session after each few contextIds is noticed: each fifth is an alert."""
    alerts: list[int] = []
    number = 0
    add = SimpleNamespace(add=lambda *_: alerts.append(number))
    monkeypatch.setattr(telemetry, "arrivals_refused", add)
    talk = Talk(bot=a_bot(max_contexts=5))
    for number in range(1, 12):
        talk.meets(f"c{number}", failure, opens="rasas" if number % 3 == 0 else None)
        talk.meets(f"c{number}", failure)  # it waits, and is none more
        if number % 4 == 0:
            talk.meets("ana")
            talk.forgets()
    assert alerts == [5, 10]
    line = "PS7 did not know 5 contextIds of one conversation"
    assert logged(caplog).count(("WARNING", line)) == 1


def test_metadata_without_a_contextid_is_known_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its keys, and what looks like one; whoever makes up more keys does not fill the log.

    What Rasa itself adds is none; where something was found, nobody looked.
    """
    talk = Talk()
    near = {"customData": {"contextId": "C-1"}}
    for metadata in ({}, {"model_id": "m"}, near, near, {"page": 1}, {"contextId": "ana", "x": 1}):
        talk.happens("user", text="oi", metadata=metadata)
        talk.run()
    said = "A message brought metadata without a contextId; keys: "
    miss = "customData; customData.contextId looks like one: PS7_METADATA_KEYS"
    assert logged(caplog) == [("WARNING", said + miss), ("WARNING", f"{said}page")]
    for number in range(62):
        talk.noted.add(f"metadata {number}")
    talk.happens("user", text="oi", metadata={"other": 1})
    talk.run()
    assert logged(caplog) == []


REFUSALS: dict[str, Callable[[Talk], list[str]]] = {
    # outcome and reason in the log of the last, by what arrives
    "invalid arrival_signature": lambda _: ["ana"],
    "invalid arrival_claims": lambda talk: [talk.token("ana", seconds=121)],
    "invalid arrival_conversation": lambda _: [Talk(sender_id="s2").token("ana")],
    "invalid arrival_time": lambda talk: [replace(talk, now=talk.now - 120 * SECOND).token("ana")],
    "rejected too_many_context_ids": lambda talk: [*map(talk.token, CPF)],
}


@pytest.mark.parametrize(("line", "brings"), REFUSALS.items(), ids=REFUSALS)
def test_a_refusal_is_one_line_of_a_lookup_that_sent_nothing(
    line: str, brings: Callable[[Talk], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """It can be followed by conversation and contextId, and says why, in words."""
    talk = Talk(bot=signed())
    *before, last = brings(talk)
    for each in before:
        talk.meets(each)
    asked = list(talk.asked)
    caplog.clear()
    caplog.set_level(logging.INFO)
    talk.says(last, correlationId=last).run()
    (_, told), why = logged(caplog)
    assert talk.asked == asked
    outcome, reason = line.split()
    assert talk.rule == ("arrival-refused" if outcome == "invalid" else "too-many")
    pattern = (
        f"PS7 lookup: outcome={outcome} reason={reason} status=- attempts=0 ms=0 "
        f"correlation={UUID} context=[0-9a-f]{{12}}"
    )
    assert re.fullmatch(pattern, told)
    assert why == ("WARNING", f"Arrival refused: {ARRIVAL_REFUSED[Reason(reason)]}")
    assert not re.search("ana|diego|elisa|eyJ|sender", told)
    talk.says().run()
    assert logged(caplog) == [], "and once"


def test_a_needed_slot_that_is_not_declared_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """By the bot's own name of it, and with what happens without it."""
    talk = Talk(bot=a_bot(slot_names={"ps7_status": "estado"}))
    for _ in range(2):
        talk.decides(look_up, talk.says().tracker).report.tell("action", talk.noted)
    said = "The bot's domain does not declare the slot estado: "
    assert logged(caplog) == [("WARNING", f"{said}the dialogue cannot tell how a lookup ended")]


def test_a_refusal_has_the_channels_id_if_its_arrival_was_not_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What stands beside a contextId that is logged out is taken."""
    caplog.set_level(logging.INFO)
    talk = Talk()
    talk.meets("ana").forgets()
    talk.says("ana", correlationId="c-1", opens="rasas").run()
    assert re.search("reason=forgotten .* correlation=c-1 ", logged(caplog)[-1][1])


def levels(talk: Talk, caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the levels of the lines of a run."""
    caplog.clear()
    talk.run()
    return [level for level, _ in logged(caplog)]


@pytest.mark.parametrize("first", ["first turn", "session start", "first turn after a start"])
def test_a_refusal_is_told_once_for_each_value_of_a_session(
    first: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A page that sends an old token with each message makes one line, and one forgery."""
    caplog.set_level(logging.INFO)
    told, silent = ["INFO", "WARNING"], list[str]()
    talk = Talk(bot=signed())
    if first == "session start":
        talk.meets("ana", opens="ours")
        assert levels(talk, caplog) == silent, "the session start said it"
    else:
        talk.says("ana", opens="ours" if first.endswith("start") else "rasas")
        caplog.clear()
        assert levels(talk, caplog) == (silent if first.endswith("start") else told)
    assert levels(talk, caplog) == silent, "a second run of the turn"
    for value, lines in (
        *(("ana", silent), (None, silent), ("diego", told), ("ana", silent)),
        *(("Diego", told), ("diego", silent), ("diego ", told), (["ana"], told)),
    ):
        assert levels(talk.says(value), caplog) == lines, value
    assert levels(talk.says("ana", opens="rasas"), caplog) == told, "another session"


def test_a_token_that_was_good_when_it_came_is_refused_once_when_it_is_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An earlier message brought the same, in time."""
    caplog.set_level(logging.INFO)
    talk = Talk(bot=signed(max_contexts=9))
    token = talk.token("ana")
    talk.meets(token)
    talk.meets(talk.token("diego"))
    talk.now += 120 * SECOND
    assert levels(talk.says(token), caplog) == ["INFO", "WARNING"]
    assert levels(talk.says(token), caplog) == []
    assert talk.says_now == ("invalid", None)


# Correlation ids


def correlation(talk: Talk) -> str:
    return correlation_id(talk.state, talk.state.arrival())


def test_a_correlation_id_is_the_channels_or_one_of_our_own() -> None:
    """Ours is the same for a conversation; one that repeats an identity is none."""
    talk = Talk(sender_id="s1")
    other = Talk(sender_id="s2", bot=talk.bot).says("ana")
    made = correlation(talk)
    assert re.fullmatch(UUID, made)
    assert correlation(other) != made
    for given in (None, "ana", "s1", "two words"):
        assert correlation(talk.says("ana", correlationId=given)) == made
    assert correlation(talk.says("ana", correlationId="c-1")) == "c-1"


# What is left alone


@pytest.mark.parametrize(
    "before",
    [
        lambda talk: talk.meets("two words"),
        lambda talk: (talk.meets("ana", Outcome.REJECTED), talk.says(opens="rasas").run()),
        lambda talk: talk.says().run(),
        lambda talk: talk.says(),
    ],
    ids=["refused", "an earlier failure", "nobody", "the first run"],
)
def test_what_a_form_asked_stays_while_nobody_is_known(before: Callable[[Talk], object]) -> None:
    """The run leaves it, whatever the seal in the slot is about."""
    talk = Talk()
    before(talk)
    talk.writes(cpf="typed").run()
    assert talk.slots["cpf"] == "typed"
    assert talk.run() == {}


def test_what_claims_a_customer_beside_a_refusal_is_cleared() -> None:
    """The status says `ok`, and the arrival was refused."""
    talk = Talk()
    talk.meets("ana")
    talk.meets("two words")
    newest = talk.seal
    talk.writes(ps7_status="ok", cpf="typed")
    assert talk.run() == {"ps7_status": "invalid", "cpf": None}
    assert talk.seal == newest


@pytest.mark.parametrize("before", ["nobody", "ana", "ana, and the status says so already"])
def test_a_refusal_nulls_what_the_customer_s_slots_have(before: str) -> None:
    """Also what a form asked before it, and whatever something else wrote into the status."""
    talk = Talk()
    if before != "nobody":
        talk.meets("ana")
    talk.writes(cpf="typed")
    if before.endswith("already"):
        talk.writes(ps7_status="invalid")
    talk.meets("two words")
    assert talk.says_now == ("invalid", None)


def test_a_verification_leaves_the_answer_that_counts_in_the_slot() -> None:
    """A failure, though another contextId was looked up after it."""
    talk = Talk()
    talk.meets("ana", Outcome.REJECTED)
    failed = talk.seal
    talk.meets("diego").says("ana")
    talk.verifies()
    assert (talk.says_now, talk.seal) == (("rejected", None), failed)


def test_a_question_goes_with_the_channels_ids() -> None:
    """They come beside the contextId."""
    question = look_up(Talk().says("ana", correlationId="c-1", flowId="f-1").state)
    assert isinstance(question, Question)
    assert (question.correlation_id, question.arrival.flow_id) == ("c-1", "f-1")


def test_a_report_says_what_the_run_did() -> None:
    """For log and metrics: the rule, whether PS7 was asked, whether a contextId was there."""
    talk = Talk()
    nothing = talk.says().decides(look_up).report
    asked = talk.says("ana").decides(look_up).report
    talk.run()
    over = talk.says(opens="rasas").decides(look_up).report
    for report, rule, looked_up, without in (
        (nothing, "nothing-held", False, True),
        (asked, "look-up", True, False),
        (over, "session-over", False, True),
    ):
        assert (report.rule, report.looked_up, report.without_context_id) == (
            rule,
            looked_up,
            without,
        )
    assert set(asked.slots) == {"ps7_status", "ps7_context", "cpf", "agency"}


def test_a_slot_to_set_is_an_event_as_rasa_takes_it() -> None:
    """Rasa writes the time by itself."""
    event = {"event": "slot", "timestamp": None, "name": "cpf", "value": "typed"}
    assert slot_events({"cpf": "typed"}) == [event]


def test_a_contextid_that_ps7_refuses_again_is_no_second_guess(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Two are an alarm here: after the 30 s, the same one again is none."""
    talk = Talk(bot=a_bot(max_contexts=2))
    for name, alarm in (("x", False), ("x", False), ("y", True), ("x", False), ("y", False)):
        caplog.clear()
        talk.meets(name, Outcome.REJECTED)
        talk.now += 30 * SECOND
        line = "PS7 did not know 2 contextIds of one conversation"
        assert (("WARNING", line) in logged(caplog)) is alarm, name


def test_a_status_that_claims_a_customer_whom_ps7_refused_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While the failure waits, it is put right without asking again."""
    talk = Talk(bot=a_bot(max_contexts=9))
    talk.meets("ana", Outcome.REJECTED)
    talk.writes(ps7_status="ok")
    assert talk.run() == {"ps7_status": "rejected"}
    claimed = ("WARNING", "The status claimed a customer; the seal says rejected")
    assert logged(caplog) == [claimed]
    talk.meets("diego")
    caplog.clear()
    talk.meets("ana")
    assert (talk.rule, logged(caplog)) == ("failed-before", []), "diego was known, and rightly"


@pytest.mark.parametrize("status", ["typed", {"a": 1}, True])
def test_a_status_that_is_no_outcome_is_told_as_missing(status: object) -> None:
    """A verification that writes nothing reports the slot as it is."""
    talk = Talk()
    talk.writes(ps7_status=status)
    decision = talk.decides(verify)
    assert (decision.outcome, decision.slots) == (Outcome.MISSING, {})
