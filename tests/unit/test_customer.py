"""The customer: how fields become attributes, and what an instance shows of itself."""

from __future__ import annotations

import pickle
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from actions.ps7.api.wire import Decoded, Expiry, read_customer
from actions.ps7.context import CustomerContext, SecurityDevice, TokenStatus

pytestmark = pytest.mark.versions

UNTIL = datetime(2024, 5, 10, 13, 0, tzinfo=timezone.utc)


def read(payload: dict[str, Any], *, strict_cpf: bool = False, **envelope: Any) -> Decoded:  # noqa: ANN401 - as JSON is
    """Read a customer whose answer has this payload, and this around it."""
    return read_customer(payload, envelope, expiry=Expiry(UNTIL), strict_cpf=strict_cpf)


# What a field becomes


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
    customer, undocumented, _ = read({"u_dseg": device, "u_dsok": accepted})
    assert customer.security_device is DEVICES[device]
    assert customer.token_status is TOKEN_STATUS.get((device, accepted))
    assert customer.token_valid is (device in ("Token", "CSI") and accepted == "S")
    unknown = {"u_dseg": device == "Chave", "u_dsok": accepted == "X"}
    assert set(undocumented) == {name for name, is_unknown in unknown.items() if is_unknown}


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
