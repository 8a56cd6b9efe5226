"""The CPF: normalised, checked and masked."""

from __future__ import annotations

import pytest

from actions.ps7.customer import (
    has_cpf_form,
    is_valid_cpf,
    is_written_as_cpf,
    mask_cpf,
    normalise_cpf,
)

pytestmark = pytest.mark.versions


CPF = "52998224725"


@pytest.mark.parametrize("text", [CPF, "529.982.247-25", "-5 2\t9\n982.247\u00a025."])
def test_punctuation_goes_wherever_it_is(text: str) -> None:
    """Points, dashes and white space; with zeros in front up to 14 digits as well."""
    assert normalise_cpf(text) == normalise_cpf(f"000{text}") == normalise_cpf(f"0.00{text}") == CPF


@pytest.mark.parametrize(
    "text",
    [
        *("CPF", "", "-", "529.982.247-2X", "529_982", "+52998224725", "/52998224725"),
        *("５２９９８２２４７２５", "５２９.９８２.２４７-２５", "000５２９９８２２４７２５"),
        *("٥٢٩٩٨٢٢٤٧٢٥", "⁵²⁹⁹⁸²²⁴⁷²⁵"),
        *("11.222.333/0001-81", "00.000.000/0001-91", "000529982247/25"),
        *("1", "1234567890", "052998224725", "0052998224725", "00152998224725", "11222333000181"),
        *("0" * 15, "000" + "1" * 12),
    ],
)
def test_text_that_is_no_cpf_is_not_changed(text: str) -> None:
    """Nothing is guessed, filled up or cut off: it could be another person's number."""
    assert normalise_cpf(text) == text
    assert not has_cpf_form(text)
    assert not is_valid_cpf(text)


@pytest.mark.parametrize(("number", "valid"), [(CPF, True), ("52998224726", False)])
def test_a_cpf_is_valid_by_its_check_digits(number: str, valid: bool) -> None:
    """Which its form says nothing of."""
    assert has_cpf_form(number)
    assert is_valid_cpf(number) is valid


@pytest.mark.parametrize("text", [CPF, "529_982.247-25", "_5 2998224725-", f"00_0{CPF}"])
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
