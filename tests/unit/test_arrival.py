"""The door: which tokens let a contextId in, and why the others do not."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7 import Reason
from actions.ps7.dialogue.arrival import Door, on_time, sign
from actions.ps7.dialogue.context_id import Found, find
from tests.support.clock import Clock

KEY, OLDER, FOREIGN = "new-key-" * 4, "old-key-" * 4, "foreign-" * 4
NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
MADE = int(NOW.timestamp())
SENDER = "+5511999998888"
DOOR = Door([KEY, OLDER])
CLAIMS: dict[str, Any] = {"contextId": "C1", "sub": SENDER, "iat": MADE, "exp": MADE + 120}


def signed(claims: dict[str, Any], key: str = KEY) -> str:
    return jwt.encode(claims, key, "HS256")


def token(**others: object) -> str:
    return signed({**CLAIMS, **others})


def at_the_door(value: object, **beside: object) -> Found:
    found = find({"metadata": {"contextId": value, **beside}}, [], None, ["contextId"])
    assert found is not None
    return DOOR.read(found, SENDER)


def why(value: object) -> Reason | None:
    read = at_the_door(value)
    assert (read.context_id is None) == (read.refused is not None)
    return read.refused


def test_a_token_of_the_back_end_lets_its_context_id_in() -> None:
    """What comes out is what the same contextId would be without a door."""
    read = at_the_door(token(), correlationId="c-1", flowId="f-1")
    bare = Door([]).read(found_bare("C1"), SENDER)
    assert (read.context_id, read.fingerprint, read.refused) == ("C1", bare.fingerprint, None)
    assert (read.correlation_id, read.flow_id) == ("c-1", "f-1")


def found_bare(value: object) -> Found:
    found = find({"metadata": {"contextId": value}}, [], None, ["contextId"])
    assert found is not None
    return found


def test_without_keys_everybody_may_enter() -> None:
    """The contextId stands in the metadata as it is, at any time."""
    found = found_bare("C1")
    assert Door([]).read(found, SENDER) is found
    assert on_time(found, NOW) is found


def test_a_key_that_was_replaced_still_counts() -> None:
    """While a new one is rolled out, back-ends sign with either."""
    assert why(signed(CLAIMS, key=OLDER)) is None
    assert why(signed(CLAIMS, key=FOREIGN)) is Reason.ARRIVAL_SIGNATURE


@pytest.mark.parametrize("context_id", ["C1", "x" * 256, 42, 42.0])
def test_the_claim_takes_what_metadata_takes(context_id: object) -> None:
    """Text of 1 to 256 printable characters, or a whole number."""
    read = at_the_door(token(contextId=context_id))
    assert read.context_id == found_bare(context_id).context_id
    assert read.context_id is not None


@pytest.mark.parametrize(
    ("claim", "beside", "encoded"), [(1, 0, 1), (0, 1, 0), (None, 1, None), ("x", 1, None)]
)
def test_only_what_is_signed_says_how_the_context_id_is_encoded(
    claim: object, beside: int, encoded: int | None
) -> None:
    """It decides whom PS7 looks up, so the metadata beside the token has no say."""
    more = {} if claim is None else {"encoded": claim}
    assert at_the_door(token(**more), encoded=beside).encoded == encoded


def unsigned(**header: object) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'typ': 'JWT', **header})}.{part(CLAIMS)}."


NO_TOKENS = {
    "the contextId itself": "C1",
    "a number": 42,
    "a flag": True,
    "a list of tokens": [token()],
    "an object": {"contextId": token()},
    "nothing signed": unsigned(alg="none"),
    "nothing signed, oddly written": unsigned(alg="nOnE"),
    "no algorithm": unsigned(),
    "an empty signature": unsigned(alg="HS256"),
    "another algorithm": jwt.encode(CLAIMS, KEY * 2, "HS512"),
    "another key": signed(CLAIMS, key=FOREIGN),
    "half a token": token()[: len(token()) // 2],
    "the signature cut off": token().rpartition(".")[0],
    "white space around it": f" {token()}",
    "a token too long": token(padding="x" * 4096),
    "for some other audience": token(aud="another-service"),
    "not to be used yet": token(nbf=MADE + 10**9),
    "characters outside ASCII": "ação.ação.ação",
    "half a character": "\ud800.\ud800.\ud800",
    "a header deeper than Python reads": f"{base64.urlsafe_b64encode(b'[' * 2900).decode()}.e30.x",
    "claims that are no object": jwt.PyJWS().encode(b"[]", KEY, "HS256"),
    "claims that are no JSON": jwt.PyJWS().encode(b"C1", KEY, "HS256"),
}


@pytest.mark.parametrize("value", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_no_key_of_ours_signed(value: object) -> None:
    """Nothing but a whole token with HS256 and a key of the list comes in."""
    assert why(value) is Reason.ARRIVAL_SIGNATURE


CLAIMS_AT_FAULT: dict[str, dict[str, Any]] = {
    "no contextId": {"contextId": None},
    "a blank contextId": {"contextId": " "},
    "a contextId that is not usable": {"contextId": "C 1"},
    "a contextId that is too long": {"contextId": "x" * 257},
    "a contextId that is a list": {"contextId": ["C1"]},
    "no iat": {"iat": None},
    "iat as text": {"iat": str(MADE)},
    "iat as a flag": {"iat": True},
    "exp as text": {"exp": str(MADE + 120)},
    "exp without end": {"exp": float("inf")},
    "exp that is no number": {"exp": float("nan")},
    "no exp": {"exp": None},
    "good for too long": {"exp": MADE + 121},
    "good for a moment too long": {"exp": MADE + 120.001},
    "over before it begins": {"exp": MADE},
}


@pytest.mark.parametrize("claims", CLAIMS_AT_FAULT.values(), ids=CLAIMS_AT_FAULT)
def test_claims_that_are_missing_or_cannot_be_used(claims: dict[str, Any]) -> None:
    """A null and an absent claim are the same."""
    assert why(token(**claims)) is Reason.ARRIVAL_CLAIMS
    absent = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    assert why(signed(absent)) is Reason.ARRIVAL_CLAIMS


@pytest.mark.parametrize("sub", ["", SENDER[:-1], SENDER.upper() + " ", "+5511999998889"])
def test_a_token_for_another_conversation(sub: str) -> None:
    """It was made for one sender id, to the letter."""
    assert why(token(sub=sub)) is Reason.ARRIVAL_CONVERSATION


def test_a_token_for_nobody() -> None:
    """Without `sub`, or with one that is no text, a token would open every conversation."""
    without = {name: value for name, value in CLAIMS.items() if name != "sub"}
    assert why(signed(without)) is not None
    raw = json.dumps({**CLAIMS, "sub": 5}).encode()
    assert why(jwt.PyJWS().encode(raw, KEY, "HS256")) is not None


@pytest.mark.parametrize(
    ("seconds", "lets_in"),
    [(-10.1, False), (-10, True), (0, True), (119.9, True), (120, False), (10**6, False)],
)
def test_when_a_token_lets_somebody_new_in(seconds: float, lets_in: bool) -> None:
    """From `iat` until `exp`; ten seconds earlier, since two clocks are never the same."""
    read = on_time(at_the_door(token()), NOW + timedelta(seconds=seconds))
    assert (read.context_id == "C1") is lets_in
    assert read.refused is (None if lets_in else Reason.ARRIVAL_TIME)


def test_what_was_refused_is_like_no_context_id() -> None:
    """A refused token never passes for one that came in before, whatever it holds."""
    names = {
        found_bare(value).fingerprint for value in ("C1", token(), signed(CLAIMS, key=FOREIGN))
    }
    refused = [
        at_the_door("C1"),
        at_the_door(signed(CLAIMS, key=FOREIGN)),
        at_the_door(token(sub="x")),
    ]
    late = on_time(at_the_door(token()), NOW + timedelta(hours=1))
    assert late.opens is None
    assert len({one.fingerprint for one in [*refused, late]}) == 4
    assert names.isdisjoint(one.fingerprint for one in [*refused, late])
    assert on_time(refused[0], NOW) is refused[0]


def test_the_same_token_is_refused_as_the_same() -> None:
    """So that a conversation says so once, and not on every turn."""
    assert at_the_door("C1").fingerprint == at_the_door("C1").fingerprint


def test_nothing_of_a_token_is_shown() -> None:
    """Neither the contextId nor the token: a `repr` may end up in a log."""
    shown = repr(at_the_door(token(contextId="planted")))
    assert "planted" not in shown
    assert "eyJ" not in shown


@given(st.data())
def test_no_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    """A token that differs in what it means is refused."""
    good = token()
    place = data.draw(st.integers(0, len(good) - 1))
    character = data.draw(st.characters())
    forged = good[:place] + character + good[place + 1 :]
    read = at_the_door(forged) if forged.strip() else None
    if read is not None and read.refused is None:
        # The last character of base64 has bits that nobody reads.
        assert read == replace(at_the_door(good), value=forged)
        assert place == len(good) - 1 or character == good[place]


@given(st.text(max_size=200).filter(str.strip))
def test_any_text_is_answered(text: str) -> None:
    """Nothing that a channel can send raises."""
    assert why(text) is Reason.ARRIVAL_SIGNATURE


def test_a_token_of_our_own_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """`sign` makes what the door takes, for as long as it is told."""
    clock = Clock(monkeypatch)
    read = at_the_door(sign(KEY, "C1", SENDER, seconds=30, encoded=1))
    assert (read.context_id, read.encoded) == ("C1", 1)
    assert on_time(read, clock.now + timedelta(seconds=29)).refused is None
    assert on_time(read, clock.now + timedelta(seconds=30)).refused is Reason.ARRIVAL_TIME
    read = at_the_door(sign(OLDER, "C2", SENDER))
    assert (read.context_id, read.encoded) == ("C2", None)
    assert on_time(read, clock.now + timedelta(seconds=119)).refused is None


@pytest.mark.parametrize(("length", "reason"), [(4096, None), (4097, Reason.ARRIVAL_SIGNATURE)])
def test_the_longest_token_that_is_read(length: int, reason: Reason | None) -> None:
    """4096 characters: room for a back-end's own claims."""
    made = (token(more="x" * size) for size in range(length))
    assert why(next(one for one in made if len(one) == length)) is reason


def test_a_token_of_our_own_making_says_what_is_documented_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the example for every back-end; `encoded` stands there only where it was asked for."""
    made = int(Clock(monkeypatch).now.timestamp())
    claims = {"contextId": "C1", "sub": SENDER, "iat": made, "exp": made + 120}
    at_any_time = {"verify_exp": False, "verify_iat": False}
    read: dict[str, Any] = {"algorithms": ["HS256"], "options": at_any_time}
    assert jwt.decode(sign(KEY, "C1", SENDER), KEY, **read) == claims
    assert jwt.decode(sign(KEY, "C1", SENDER, encoded=0), KEY, **read) == {**claims, "encoded": 0}


def test_a_token_may_be_good_for_less_than_a_second() -> None:
    """Claims of time are numbers, whole or not."""
    assert why(token(exp=MADE + 0.5)) is None
