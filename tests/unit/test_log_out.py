"""A log-out holds: whom it logs out, by which names, and what may come in between.

How it is attacked: `tests/security`; in whole conversations: `tests/model`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from actions.ps7 import Outcome
from actions.ps7.conversation.arrival import fingerprint
from actions.ps7.conversation.seal import MAX_LOGGED_OUT
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY
from tests.support.talk import ANA, DIEGO, ELISA, Talk, a_bot

MISSING = ("missing", None)


def leaves(context_id: str, encoded: object = None) -> Callable[[Talk], object]:
    """Return what brings a contextId and logs it out, without a lookup."""
    return lambda talk: talk.brings(context_id, encoded=encoded).run(FORGET)


# Whom


def test_whom_a_log_out_logs_out() -> None:
    """The usable contextId at hand, and every one that a seal shown is about; each by its text.

    What was refused or not usable hides nobody.
    """
    talk = Talk().arrives("ana", Outcome.UNAVAILABLE).arrives("diego", encoded=1)
    leaves("elisa")(talk.arrives("two words"))
    assert talk.state.log_outs == (ELISA, DIEGO, ANA)
    for name in ("ana", "diego", "elisa"):
        talk.arrives(name, encoded=0)
        assert (talk.rule, talk.says_now) == ("logged-out", MISSING)


def test_a_log_out_of_nobody_seals_nothing() -> None:
    """No contextId is at hand, and no seal was ever seen. What a form asked is forgotten too."""
    talk = Talk()
    assert talk.run(FORGET) == {"ps7_status": "missing"}
    assert talk.set_slots(cpf="typed").run(FORGET) == {"cpf": None}


# By which names

TEXT = "açaí?~~é"
BASE64 = base64.b64encode(TEXT.encode()).decode()
URL_SAFE = BASE64.rstrip("=").translate(str.maketrans("+/", "-_"))


@pytest.mark.parametrize("setting", [None, 0, 1])
@pytest.mark.parametrize(
    ("out", "then"),
    [
        ((TEXT, None), (BASE64, 0)),
        ((TEXT, None), (URL_SAFE, "0")),
        ((TEXT, 0), (BASE64, 0)),
        ((BASE64, 0), (TEXT, 1)),
    ],
)
def test_a_log_out_goes_by_what_ps7_receives(
    setting: int | None, out: tuple[str, int], then: tuple[str, object]
) -> None:
    """The text, and its Base64 with `encoded` 0, in whichever spelling: the gateway makes one."""
    talk = Talk(a_bot(encoded=setting)).arrives(out[0], encoded=out[1])
    talk.run(FORGET)
    assert talk.arrives(then[0], encoded=then[1]).rule == "logged-out"


def test_what_ps7_receives_as_something_else_is_not_logged_out() -> None:
    """Another text, and what is no Base64."""
    talk = Talk(a_bot(max_contexts=9))
    leaves("ana")(talk)
    others = {"YW5h": 1, "YW5hYQ==": 0, "bruno": 0, "%": 0, "YW!5h": 0, "/w==": 0}
    for other, encoded in others.items():
        talk.arrives(other, encoded=encoded)
    assert talk.asked == [*others]


def test_what_is_refused_as_logged_out_is_logged_out_by_its_own_text() -> None:
    """Else it would come back with another `encoded`, which PS7 receives as something else."""
    talk = Talk(a_bot(max_contexts=9)).arrives("YW5h", encoded=0)
    talk.run(FORGET)
    assert talk.arrives("ana").state.log_outs == (ANA, fingerprint("YW5h"))
    talk.arrives("ana", encoded=0)
    assert (talk.rule, talk.asked) == ("logged-out", ["YW5h"])
    assert talk.look_up() == {}


DECODED: dict[str, Callable[[Talk], object]] = {
    # what is logged out; and what arrives then, PS7 says that it decoded diego from it
    "its own text": leaves("diego"),
    "its text, with encoded 0": leaves("diego", encoded=0),
    "its Base64, with encoded 0": leaves("ZGllZ28=", encoded=0),
    "what PS7 decoded before": lambda talk: (
        talk.brings("elisa").hears(talk.customer("elisa", decoded_context_id="diego")),
        talk.run(FORGET),
    ),
}


@pytest.mark.parametrize("log_out", DECODED.values(), ids=DECODED)
@pytest.mark.parametrize("encoded", [None, 0])
def test_another_name_of_a_context_id_that_is_logged_out_is_missing(
    log_out: Callable[[Talk], object], encoded: int | None
) -> None:
    """PS7 says what it decoded; from then on that name is logged out too, and not asked about."""
    talk = Talk(a_bot(max_contexts=9))
    log_out(talk)
    asked = list(talk.asked)
    talk.brings("ana", encoded=encoded).hears(talk.customer("ana", decoded_context_id="diego"))
    assert (talk.says_now, talk.seal.customer) == (MISSING, None)
    assert talk.seal.logged_out[0] == ANA, "the newest"
    talk.arrives("ana", encoded=encoded)
    assert (talk.rule, talk.asked) == ("logged-out", asked)
    talk.brings("elisa2").hears(talk.customer("ana", decoded_context_id="diego2"))
    assert talk.says_now[0] == "ok", "nobody logged that one out"


# What comes in between


def test_log_outs_add_up_to_so_many() -> None:
    """64, the newest first; one that fell out of the seal counts as long as another shows it."""
    talk = Talk()
    names = [f"c{number}" for number in range(MAX_LOGGED_OUT + 2)]
    for name in names:
        leaves(name)(talk)
        talk.look_up()
        assert talk.asked == [], "the newest log-out holds"
    newest_first = tuple(fingerprint(name) for name in reversed(names))
    assert talk.seal.logged_out == newest_first[:MAX_LOGGED_OUT]
    assert talk.state.log_outs == newest_first
    assert talk.run(VERIFY) == {}
    assert talk.arrives("c0").says_now == MISSING


@pytest.mark.parametrize("action", [LOOK_UP, VERIFY])
@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.REJECTED])
def test_two_servers_at_once_leave_an_answer_with_a_log_out_of_another(
    outcome: Outcome, action: str
) -> None:
    """The seal with the answer does not know of it: it is sealed again, with its own time."""
    talk = Talk().arrives("ana", outcome)
    last = talk.is_sealed_by_two(logged_out=(DIEGO,), answer=None, outcome=Outcome.MISSING)
    talk.later(seconds=20).brings("ana").set_slots(ps7_status="ok").run(action)
    assert talk.seal == last.model_copy(update={"logged_out": (DIEGO,)})
    assert (talk.slots["ps7_status"], talk.asked) == (outcome, ["ana"])


@pytest.mark.parametrize("action", [LOOK_UP, VERIFY])
def test_two_servers_at_once_cannot_undo_a_log_out(action: str) -> None:
    """The seal with the customer does not know of it, and appears after the one that does."""
    talk = Talk().arrives("ana")
    talk.is_sealed_by_two(logged_out=(ANA,), answer=None, outcome=Outcome.MISSING)
    talk.brings().set_slots(ps7_status="denied").run(action)
    assert (talk.says_now, talk.seal.customer, talk.seal.logged_out) == (MISSING, None, (ANA,))


def test_a_verification_does_not_take_a_claim_after_a_log_out_for_an_attack() -> None:
    """The slots are what they are after the log-out, as the next lookup would say."""
    talk = Talk().arrives("ana")
    talk.run(FORGET)
    talk.set_slots(ps7_status="ok", cpf="typed").run(VERIFY)
    assert (talk.rule, talk.says_now) == ("logged-out", MISSING)
