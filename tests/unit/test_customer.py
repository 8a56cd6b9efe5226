"""The customer: what an instance shows of itself, and allows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from actions.ps7.customer import CustomerContext, Identification, TokenStatus
from tests.support.customer import CUSTOMER, NOW

pytestmark = pytest.mark.versions


def test_a_customer_shows_nothing_that_tells_them_from_another() -> None:
    """Neither `repr` nor `str`: an instance may end up in a log."""
    shown = "identification='authenticated', security_device='token', token_status='valid'"
    assert repr(CUSTOMER) == f"CustomerContext({shown})"
    assert str(CUSTOMER) == shown.replace(",", "")
    empty = "CustomerContext(identification=None, security_device=None, token_status=None)"
    assert repr(CustomerContext(expires_at=NOW)) == empty


def test_only_authenticated_and_valid_say_yes() -> None:
    """Only `authenticated` proved who they are, only `valid` is an accepted device."""
    for identification in (None, *Identification):
        asked = CUSTOMER.model_copy(update={"identification": identification})
        assert asked.authenticated is (identification == "authenticated")
    for status in (None, *TokenStatus):
        asked = CUSTOMER.model_copy(update={"token_status": status})
        assert asked.token_valid is (status == "valid")
    assert CUSTOMER.cpf_masked == "***.982.247-**"


@pytest.mark.parametrize(
    "wrong", [{"token_status": "planted"}, {"cpf": ["planted"]}, {"payload": "planted"}]
)
def test_a_customer_that_cannot_be_made_is_not_quoted(wrong: dict[str, Any]) -> None:
    """The error names the attribute, and not the value; nor can one be changed later."""
    with pytest.raises(ValidationError) as caught:
        CustomerContext(expires_at=NOW, **wrong)
    assert "planted" not in str(caught.value)
    with pytest.raises(ValidationError):
        CUSTOMER.cpf = "11144477735"  # type: ignore[misc]  # what a careless bot would do
