"""The customer: how fields become attributes, and what an instance shows of itself."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from actions.ps7.api.customer import Decoded, read_customer
from actions.ps7.context import (
    CustomerContext,
    Identification,
    Outcome,
    SecurityDevice,
    TokenStatus,
    wire_text,
)

pytestmark = pytest.mark.versions

UNTIL = datetime(2024, 5, 10, 13, 0, tzinfo=timezone.utc)


def read(payload: dict[str, Any], *, strict_cpf: bool = False, **envelope: Any) -> Decoded:  # noqa: ANN401 - as JSON is
    """Read a customer whose answer has this payload, and this around it."""
    return read_customer(payload, envelope, expires_at=UNTIL, strict_cpf=strict_cpf)


# What a field becomes


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (" a b ", "a b"),
        ("\t\r\n\u00a0a\u2003", "a"),
        ("", None),
        (" \u00a0\n", None),
        (0, "0"),
        (-1, "-1"),
        (1.5, "1.5"),
        (True, None),
        (False, None),
        (None, None),
        ([], None),
        (["a"], None),
        ({}, None),
        ({"a": "b"}, None),
        (b"a", None),
    ],
)
def test_a_value_of_the_wire_as_text(value: object, text: str | None) -> None:
    """Text is stripped and a blank one null; numbers become their text, other types null."""
    assert wire_text(value) == text


FIELDS = {
    "u_ag": "agency",
    "u_cc": "account",
    "u_seg": "segment",
    "u_dest": "ivr_option",
    "u_numA": "phone_number",
    "u_tpid": "id_document",
    "u_cpf": "cpf",
}
PLAIN = {"expires_at", "payload"}


@pytest.mark.parametrize(("wire_name", "attribute"), FIELDS.items())
@pytest.mark.parametrize("where", ["top", "contexto"])
def test_a_field_is_one_attribute(wire_name: str, attribute: str, where: str) -> None:
    """And no other, wherever it stands."""
    fields = {wire_name: " X1 "}
    customer = read(fields if where == "top" else {"contexto": fields}).customer
    known = customer.model_dump(exclude_none=True)
    assert {name: value for name, value in known.items() if name not in PLAIN} == {attribute: "X1"}
    assert customer.field(wire_name) == "X1"


@pytest.mark.parametrize(
    ("name", "attribute"), [("key", "key"), ("decodedContextId", "decoded_context_id")]
)
def test_what_stands_around_the_payload_is_not_looked_for_in_it(name: str, attribute: str) -> None:
    """And the other way round."""
    around: dict[str, Any] = {name: " X1 "}
    assert getattr(read({"u_ag": "1"}, **around).customer, attribute) == "X1"
    inside = read({name: "X1", "contexto": {name: "X1"}}, u_ag="1").customer
    assert getattr(inside, attribute) is None
    assert inside.agency is None


def test_the_payload_is_kept_whole_and_unchanged() -> None:
    """As it stood on the wire, with what is not documented."""
    payload = {"u_ag": " 1 ", "x": [1, {"y": None}], "contexto": {"u_ag": "2"}}
    customer = read(payload).customer
    assert customer.payload == payload
    assert customer.expires_at == UNTIL


DEVICES = {
    "Token": SecurityDevice.TOKEN,
    "CSI": SecurityDevice.CSI,
    "none": SecurityDevice.NONE,
    "Chave": None,
    "": None,
}
ACCEPTED = ["S", "N", "X", ""]
TOKEN_STATUS = {
    ("Token", "S"): TokenStatus.VALID,
    ("Token", "N"): TokenStatus.INVALID,
    ("CSI", "S"): TokenStatus.VALID,
    ("CSI", "N"): TokenStatus.INVALID,
    ("none", "S"): TokenStatus.ABSENT,
    ("none", "N"): TokenStatus.ABSENT,
    ("none", "X"): TokenStatus.ABSENT,
    ("none", ""): TokenStatus.ABSENT,
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("accepted", ACCEPTED)
def test_the_token_status_is_that_of_a_known_device(device: str, accepted: str) -> None:
    """The whole table: whatever is not in it is null, and only `S` makes a token valid."""
    customer, undocumented = read({"u_dseg": device, "u_dsok": accepted})
    assert customer.security_device is DEVICES[device]
    assert customer.token_status is TOKEN_STATUS.get((device, accepted))
    assert customer.token_valid is (device in ("Token", "CSI") and accepted == "S")
    unknown = {"u_dseg": device == "Chave", "u_dsok": accepted == "X"}
    assert set(undocumented) == {name for name, is_unknown in unknown.items() if is_unknown}


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("AUT", Identification.AUTHENTICATED),
        ("IDE", Identification.IDENTIFIED),
        ("NID", Identification.NOT_IDENTIFIED),
        ("AUTH", None),
        ("AU", None),
        ("authenticated", None),
        ("", None),
    ],
)
def test_only_aut_is_authenticated(code: str, meaning: Identification | None) -> None:
    """The interface's three codes, and nothing that resembles them."""
    customer, undocumented = read({"u_id": code})
    assert customer.identification is meaning
    assert customer.authenticated is (code == "AUT")
    assert undocumented == (("u_id",) if code and meaning is None else ())


codes = st.sampled_from(["AUT", "IDE", "NID", "Token", "CSI", "none", "S", "N"])


@given(st.dictionaries(st.sampled_from(["u_id", "u_dseg", "u_dsok"]), codes | st.text()))
def test_case_and_blanks_around_a_code_never_count(payload: dict[str, str]) -> None:
    """The same customer comes out of upper case, lower case, and blanks around."""
    for change in (str.upper, str.lower, lambda text: f" \t{text}\n"):
        # Some letters have no way back: "ß" in upper case is "SS".
        changed = {name: change(text) for name, text in payload.items() if text.isascii()}
        plain = {name: text for name, text in payload.items() if text.isascii()}
        expected, actual = read(plain), read(changed)
        assert actual.undocumented == expected.undocumented
        assert repr(actual.customer) == repr(expected.customer)


# What an instance shows, and allows

CUSTOMER = read(
    {
        "u_cpf": "52998224725",
        "u_ag": "0341",
        "u_cc": "00123456",
        "u_id": "AUT",
        "u_dseg": "Token",
        "u_dsok": "N",
        "u_numA": "5511900000001",
    },
    key="K-1",
    decodedContextId="D-1",
).customer


def test_a_customer_shows_nothing_that_tells_them_from_another() -> None:
    """Neither `repr` nor `str`: an instance may end up in a log."""
    shown = "identification='authenticated', security_device='token', token_status='invalid'"
    assert repr(CUSTOMER) == f"CustomerContext({shown})"
    assert str(CUSTOMER) == shown.replace(",", "")
    empty = "CustomerContext(identification=None, security_device=None, token_status=None)"
    assert repr(CustomerContext(expires_at=UNTIL)) == empty


def test_a_customer_does_not_change() -> None:
    """Two parts of a bot that hold the same one see the same one."""
    with pytest.raises(ValidationError):
        CUSTOMER.cpf = "11144477735"  # type: ignore[misc]  # what a careless bot would do
    assert CUSTOMER.cpf == "52998224725"


@pytest.mark.parametrize(
    "wrong",
    [
        {"token_status": "planted"},
        {"cpf": ["planted"]},
        {"payload": "planted"},
        {"planted": "planted-"},
    ],
)
def test_a_customer_that_cannot_be_made_is_not_quoted(wrong: dict[str, Any]) -> None:
    """The error names the attribute, and not the value."""
    with pytest.raises(ValidationError) as caught:
        CustomerContext(expires_at=UNTIL, **wrong)
    assert "planted-" not in str(caught.value)
    assert "input_value" not in str(caught.value)


def test_a_customer_survives_json_and_a_change_of_process() -> None:
    """Nothing of it depends on the process that made it."""
    assert CustomerContext.model_validate_json(CUSTOMER.model_dump_json()) == CUSTOMER
    assert pickle.loads(pickle.dumps(CUSTOMER)) == CUSTOMER  # noqa: S301 - made a moment ago


def test_the_outcomes_are_the_closed_list_of_the_contract() -> None:
    """What `ps7_status` can hold: a bot's rules stand on these words."""
    assert {outcome.value for outcome in Outcome} == {
        "ok",
        "missing",
        "invalid",
        "rejected",
        "denied",
        "unavailable",
        "expired",
        "tampered",
    }


def test_what_is_not_said_of_a_customer_is_none() -> None:
    """Not an empty text, which a bot could take for a value."""
    known = CustomerContext(expires_at=UNTIL).model_dump()
    assert known.pop("expires_at") == UNTIL
    assert known.pop("payload") == {}
    assert set(known.values()) == {None}
