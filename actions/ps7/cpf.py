"""The CPF, Brazil's register number of natural persons: normalise, check, mask."""

from __future__ import annotations

import re

from stdnum.br import cpf as _register

_LENGTH = 11
_DIGITS = re.compile(r"\d+", re.ASCII)
_FORM = re.compile(rf"\d{{{_LENGTH}}}", re.ASCII)
_ZERO_FILLED_LENGTH = 14
"""The neighbours of the PS7 interface state a CPF as 14 digits with zeros in front."""
_PUNCTUATION = re.compile(r"[\s.\-]")
"""Not the slash of a CNPJ, a company's number, whose last 11 digits may be a person's CPF."""


def normalise(text: str) -> str:
    """Return the 11 digits of a CPF, whatever its punctuation.

    Text with anything but digits and punctuation is returned unchanged. Digits of another length
    lose only their punctuation: nothing is filled up or cut off.
    """
    digits = _PUNCTUATION.sub("", text)
    if not _DIGITS.fullmatch(digits):
        return text
    if len(digits) == _ZERO_FILLED_LENGTH and digits.startswith("000"):
        return digits[-_LENGTH:]
    return digits


def has_form(text: str) -> bool:
    """Whether the text is 11 digits, as a normalised CPF is."""
    return _FORM.fullmatch(text) is not None


def is_valid(text: str) -> bool:
    """Whether the text is 11 digits whose last two check the others."""
    return has_form(text) and _register.is_valid(text)


def is_written_as(text: str) -> bool:
    """Whether the text is a valid CPF, whatever punctuation and zeros it is written with."""
    return is_valid(normalise(text.replace("_", "")))


def mask(text: str | None) -> str | None:
    """Show the middle of a CPF, as in `***.456.789-**`; None unless it is 11 digits."""
    if text is None or not has_form(text):
        return None
    return f"***.{text[3:6]}.{text[6:9]}-**"
