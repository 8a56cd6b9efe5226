"""The CPF: known in any writing, and masked. How it is read, `tests/vectors/cpf.json` has."""

from __future__ import annotations

import pytest

from actions.ps7.customer import is_written_as_cpf, mask_cpf

pytestmark = pytest.mark.versions


CPF = "52998224725"


@pytest.mark.parametrize(
    "text", [CPF, "529_982.247-25", "_5 2998224725-", f"00_0{CPF}", "529.98.2247.25"]
)
def test_a_cpf_is_known_however_it_is_written(text: str) -> None:
    """With marks among its digits, and filled up to 14; not if one digit is another."""
    assert is_written_as_cpf(text)
    assert not is_written_as_cpf(text.replace("4", "5"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        *(("01234567890", "***.345.678-**"), ("52998224726", "***.982.247-**")),
        *((text, None) for text in ("1234567890", "123456789091", "123.456.789-09", "", None)),
        ("１２３４５６７８９０９", None),
    ],
)
def test_the_middle_of_eleven_digits_is_shown(text: str | None, masked: str | None) -> None:
    """Three digits in front and the check digits are hidden; what is no CPF is not shown at all."""
    assert mask_cpf(text) == masked
