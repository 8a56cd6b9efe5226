"""Signed arrival: which tokens bring a contextId, and why the others do not."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import jwt
import pytest

from actions.ps7 import Reason
from actions.ps7.conversation.arrival import (
    Arrival,
    ArrivalVerifier,
    Hit,
    arrival_in,
    fingerprint,
    look_in,
    refused,
    sign,
    unusable,
)
from tests.support.clock import Clock

pytestmark = pytest.mark.versions

KEY, OLDER, FOREIGN = "new-key-" * 4, "old-key-" * 4, "foreign-" * 4
NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
MADE = int(NOW.timestamp())
SENDER = "+5511999998888"
CLAIMS: dict[str, Any] = {"contextId": "C1", "sub": SENDER, "iat": MADE, "exp": MADE + 120}


def signed(claims: dict[str, Any], key: str = KEY) -> str:
    return jwt.encode(claims, key, "HS256")


def unchecked(claims: dict[str, Any]) -> str:
    """Sign claims whose types PyJWT would not write."""
    return jwt.PyJWS().encode(json.dumps(claims).encode(), KEY, "HS256")


def token(**others: object) -> str:
    return signed({**CLAIMS, **others})


def hit(value: object, **beside: object) -> Hit:
    found = look_in({"contextId": value, **beside}, [["contextId"]])
    assert found is not None
    return found


def read(value: object, **beside: object) -> Arrival:
    verifier = ArrivalVerifier([KEY, OLDER], default_encoded=1)
    return verifier.read(hit(value, **beside), SENDER)


def why(value: object) -> Reason | None:
    """Return why it is refused; its value is known then too, and tells it from any other."""
    arrived = read(value)
    assert (arrived.context_id is None) == (arrived.refused is not None)
    assert arrived.value == value
    assert (arrived.fingerprint == unusable(value)) == (arrived.refused is not None)
    return arrived.refused


@pytest.mark.parametrize("context_id", ["C1", "c" * 256, 42.0])
def test_a_token_of_the_back_end_brings_its_context_id(context_id: object) -> None:
    """What comes out is what the same contextId would be without keys, and what came beside it.

    A token may have 4096 characters: room for a back-end's own claims.
    """
    made = (token(contextId=context_id, more="x" * size) for size in range(4096))
    longest, too_long = (next(one for one in made if len(one) == size) for size in (4096, 4097))
    plain = arrival_in(hit(context_id, correlationId="c-1", flowId="f-1"), 1)
    arrived = read(longest, correlationId="c-1", flowId="f-1")
    assert arrived == replace(plain, value=longest, valid=(MADE - 10, MADE + 120))
    assert why(too_long) is Reason.ARRIVAL_SIGNATURE


def test_nothing_is_taken_from_beside_what_is_refused_or_not_usable() -> None:
    """Neither with keys nor without them; it has a fingerprint of its own."""
    beside = {"correlationId": "c-1", "flowId": "f-1", "encoded": 0}
    for value, arrived in (
        ("C1", read("C1", **beside)),
        ("two words", ArrivalVerifier([]).read(hit("two words", **beside), SENDER)),
    ):
        assert arrived == refused(value, arrived.refused)
        assert value not in repr(arrived)


def test_a_process_keeps_what_it_read_of_tokens() -> None:
    """So a page may send one with each message. Whose it is and what is beside it, is not kept."""
    verifier = ArrivalVerifier([KEY])
    mine, foreign = token(), signed(CLAIMS, key=FOREIGN)
    for _ in range(2):
        assert verifier.read(hit(foreign), SENDER).refused is Reason.ARRIVAL_SIGNATURE
        assert verifier.read(hit(mine), "another").refused is Reason.ARRIVAL_CONVERSATION
        assert verifier.read(hit(mine, flowId="f-1"), SENDER).flow_id == "f-1"
        trail = verifier.read(hit(mine, correlationId="c-1"), SENDER)
        assert (trail.correlation_id, trail.flow_id) == ("c-1", None)
        assert verifier.read(hit("x" * 4097), SENDER).refused is Reason.ARRIVAL_SIGNATURE
    kept = verifier._kept.cache_info()
    assert (kept.misses, kept.maxsize) == (2, 1024)


def test_a_key_that_was_replaced_still_counts() -> None:
    """While a new one is rolled out, back-ends sign with either; claims of time are any numbers."""
    assert why(signed({**CLAIMS, "exp": MADE + 0.5}, key=OLDER)) is None
    assert why(signed(CLAIMS, key=FOREIGN)) is Reason.ARRIVAL_SIGNATURE


@pytest.mark.parametrize(("claims", "encoded"), [({}, 1), ({"encoded": "0"}, 0)])
def test_only_what_is_signed_says_how_the_context_id_is_encoded(
    claims: dict[str, Any], encoded: int
) -> None:
    """It decides which customer PS7 looks up, so the metadata beside the token has no say."""
    arrived = read(token(**claims), encoded=1 - encoded)
    assert (arrived.encoded, arrived.fingerprint) == (encoded, fingerprint("C1", encoded))


NO_TOKENS = {
    "the contextId itself": "C1",
    "an object": {"contextId": token()},
    "nothing signed": jwt.encode(CLAIMS, "", "none"),
    "another algorithm": jwt.encode(CLAIMS, KEY * 2, "HS512"),
    "another key": signed(CLAIMS, key=FOREIGN),
    "characters outside ASCII": "ação.ação.ação",
    "half a character": "\ud800.\ud800.\ud800",
    "a header deeper than Python reads": f"{base64.urlsafe_b64encode(b'[' * 2900).decode()}.e30.x",
    "claims that are no object": jwt.PyJWS().encode(b"[]", KEY, "HS256"),
    "claims that are no JSON": jwt.PyJWS().encode(b"C1", KEY, "HS256"),
}


@pytest.mark.parametrize("value", NO_TOKENS.values(), ids=NO_TOKENS)
def test_a_text_that_no_key_of_ours_signed_is_refused(value: object) -> None:
    """Nothing but a whole token with HS256 and a key of the list arrives."""
    assert why(value) is Reason.ARRIVAL_SIGNATURE


CLAIMS_AT_FAULT: dict[str, dict[str, Any]] = {
    "for some other audience": {"aud": "another-service"},
    "for no audience": {"aud": []},
    "nbf as text": {"nbf": str(MADE)},
    "no contextId": {"contextId": None},
    "a contextId that is not usable": {"contextId": "C 1"},
    "no iat": {"iat": None},
    "iat as a flag": {"iat": True},
    "exp without end": {"exp": float("inf")},
    "no exp": {"exp": None},
    "for a conversation that is a number": {"sub": 5},
    "good for a moment too long": {"exp": MADE + 120.001},
    "over before it begins": {"exp": MADE},
}


@pytest.mark.parametrize("claims", CLAIMS_AT_FAULT.values(), ids=CLAIMS_AT_FAULT)
def test_a_token_with_claims_at_fault_is_refused(claims: dict[str, Any]) -> None:
    """A null and an absent claim are the same."""
    assert why(unchecked({**CLAIMS, **claims})) is Reason.ARRIVAL_CLAIMS
    absent = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    assert why(unchecked(absent)) is Reason.ARRIVAL_CLAIMS


@pytest.mark.parametrize("sub", ["", SENDER[:-1], f"{SENDER} ", "+5511999998889"])
def test_a_token_for_another_conversation_is_refused(sub: str) -> None:
    """It was made for one sender id, to the letter."""
    assert why(token(sub=sub)) is Reason.ARRIVAL_CONVERSATION


@pytest.mark.parametrize(
    ("nbf", "begins"), [({}, -10), ({"nbf": MADE - 60}, -10), ({"nbf": MADE + 60}, 60)]
)
def test_a_token_arrives_from_its_iat_until_its_exp(nbf: dict[str, Any], begins: int) -> None:
    """Ten seconds earlier, since two clocks are never the same; not before `nbf`, if there is."""
    arrived = read(token(**nbf))
    for seconds, may in ((begins - 0.1, False), (begins, True), (119.9, True), (120, False)):
        assert arrived.may_arrive_at(MADE + seconds) is may


@pytest.mark.parametrize(("seconds", "encoded"), [(30, 0), (120, None)])
def test_sign_makes_a_token_that_is_read_here(
    monkeypatch: pytest.MonkeyPatch, seconds: int, encoded: int | None
) -> None:
    """`sign` makes what is read here, for as long as it is told, and says no more than documented.

    It is the example for every back-end; `encoded` stands there only where it was asked for.
    """
    made = int(Clock(monkeypatch).now.timestamp())
    more = {} if encoded is None else {"seconds": seconds, "encoded": encoded}
    text = sign(KEY, "C1", SENDER, **more)
    assert read(text).context_id == "C1"
    claims = {"contextId": "C1", "sub": SENDER, "iat": made, "exp": made + seconds}
    said = jwt.decode(text, KEY, ["HS256"], {"verify_exp": False, "verify_iat": False})
    assert said == claims | ({} if encoded is None else {"encoded": encoded})
