"""Made-up data in the place of a customer's: the same shape, and nothing else of it. Pure.

What stays is what a reader of the wire acts upon: how many digits and letters there are, zeros in
front, capitals, punctuation, whether a CPF's check digits hold. The same text becomes the same
made-up text each time, and two different ones become two, as long as there are enough.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import TYPE_CHECKING

from .. import cpf
from . import documented

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RUN = re.compile(r"\d{3}\.\d{3}\.\d{3}-\d\d|\d+|[^\W\d_]+")
"""A CPF with its punctuation, digits of any script, or letters of any script."""
_CPF_BASE = 9
_NOBODY = {"digits": "123456789", "letters": "abcdefghijklmnopqrstuvwxyz"}
_STEPS = (1, 2, 4, 5, 7, 8, 10, 11, 13, 14)
_BENDS = range(3)
_NO_CASE = "ª"
_OTHERS = {
    "Mn": "\u0301",
    "Mc": "\u0301",
    "Me": "\u0301",
    "Cs": "\ud800",
    "Co": "\ue000",
    "Cn": "\ue000",
}
"""By the category of a character that is neither a letter nor a digit: one that says nothing."""


class MadeUp:
    """The made-up data of one answer."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Take all texts that will be replaced: none of them, nor a part, is made up."""
        self._real: set[str] = set(documented.WORDS)
        for text in texts:
            self._real.update(run.lower() for run in _RUN.findall(text))
            self._real.add(cpf.normalise(text))
        self._given: dict[str, str] = {}

    def text(self, real: str) -> str:
        """Make a text up that has the shape of this one, character by character."""
        if cpf.has_form(cpf.normalise(real)):
            return self._cpf(real)
        return "".join(map(_other, _RUN.sub(lambda run: self._run(run.group()), real)))

    def number(self, real: str) -> str:
        """Make a JSON number up: the same sign, digits as many, and the very same exponent."""
        match = re.fullmatch(r"(-?)(\d+)(?:\.(\d*?)(0*))?([eE][+-]?\d+)?", real)
        assert match is not None, "JSON numbers look like this"  # noqa: S101 - the caller parsed it
        sign, whole, fraction, zeros, exponent = match.groups(default="")
        point = "." if fraction or zeros else ""
        return f"{sign}{self.text(whole)}{point}{self.text(fraction)}{zeros}{exponent}"

    def _run(self, real: str) -> str:
        if cpf.has_form(cpf.normalise(real)):
            return self._cpf(real)
        if not real[0].isdecimal():
            return self._letters(real)
        made_up = self._digits("".join(str(unicodedata.decimal(char)) for char in real))
        return "".join(map(_in_script_of, real, made_up))

    def _cpf(self, real: str) -> str:
        """Replace the digits of a CPF, whatever stands among them or is filled up in front."""
        number = cpf.normalise(real)
        filled = sum(map(str.isdecimal, real)) - len(number)
        digits = iter("0" * filled + self._digits(number))
        return "".join(next(digits) if char.isdecimal() else char for char in real)

    def _digits(self, real: str) -> str:
        zeros = real[: len(real) - len(real.lstrip("0"))]
        significant = len(real) - len(zeros)
        if not significant:
            return real
        if cpf.is_valid(real):
            bases = _cycles("digits", _CPF_BASE - len(zeros))
            return self._first(real, (_checked(zeros + base) for base in bases))
        cycles = (zeros + cycle for cycle in _cycles("digits", significant))
        return self._first(real, (digits for digits in cycles if not cpf.is_valid(digits)))

    def _letters(self, real: str) -> str:
        cycles = _cycles("letters", len(real))
        return self._first(real, ("".join(map(_in_case_of, real, cycle)) for cycle in cycles))

    def _first(self, real: str, candidates: Iterator[str]) -> str:
        if real not in self._given:
            self._given[real] = self._chosen(real, candidates)
        return self._given[real]

    def _chosen(self, real: str, candidates: Iterator[str]) -> str:
        """Give the first that nobody has; where all are taken, the first that differs."""
        second_best = real
        for text in candidates:
            differs = text.lower() != real.lower()
            if differs and self._is_free(text):
                return text
            if second_best == real:
                second_best = text
        return second_best

    def _is_free(self, text: str) -> bool:
        return text.lower() not in self._real and text not in self._given.values()


def _cycles(kind: str, length: int) -> Iterator[str]:
    """Give texts that anybody sees to be made up, such as 12345, 23456, later 13579."""
    alphabet = _NOBODY[kind]
    count = len(alphabet)
    for bend, step, offset in product(_BENDS, _STEPS, range(count)):
        places = (offset + step * place + bend * (place * place) for place in range(length))
        yield "".join(alphabet[place % count] for place in places)


def _checked(base: str) -> str:
    """Give the one CPF that begins with these nine digits."""
    return next(filter(cpf.is_valid, (f"{base}{check:02}" for check in range(100))))


def _in_script_of(real: str, digit: str) -> str:
    return chr(ord(real) - unicodedata.decimal(real) + int(digit))


def _in_case_of(real: str, letter: str) -> str:
    category = unicodedata.category(real)
    if category == "Lu":
        return letter.upper() if real.isascii() else "É"
    if category == "Ll":
        return letter if real.isascii() else "é"
    return _NO_CASE


def _other(char: str) -> str:
    return _OTHERS.get(unicodedata.category(char), char)
