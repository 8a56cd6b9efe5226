"""JSON from the wire: nothing is lost, and nothing but a ValueError comes out."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.api.wire import MAX_DEPTH, parse

pytestmark = pytest.mark.versions

scalars = st.none() | st.booleans() | st.integers(-(10**14) + 1, 10**15 - 1) | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
literals = st.from_regex(
    r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True
)


@given(values)
def test_what_is_written_is_what_is_read(value: object) -> None:
    """In ASCII with escapes as well as in UTF-8, with a byte order mark or without."""
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode("utf-8-sig")) == value


@given(literals)
def test_a_number_reads_back_as_it_was_written(literal: str) -> None:
    """Whatever `parse` makes of it: its text is the one on the wire."""
    assert str(parse(literal.encode())) == literal


@pytest.mark.parametrize(
    ("literal", "value"),
    [
        *(("0", 0), ("-7", -7), ("1.5", 1.5), ("0.001", 0.001)),
        ("999999999999999", 999999999999999),
        *((text, text) for text in ("1000000000000000", "-100000000000000", "-0", "-0.00")),
        *((text, text) for text in ("1.50", "1e3", "1E400", "0.1000000000000000055")),
    ],
)
def test_a_number_is_one_only_where_nothing_is_lost(literal: str, value: object) -> None:
    """JavaScript, gRPC and databases keep 15 digits; beyond, it is its text."""
    read = parse(f"[{literal}]".encode())
    assert read == [value]
    assert type(read[0]) is type(value)


def test_a_number_of_many_digits_is_read_at_once() -> None:
    """Python itself refuses to read more than 4300 digits, and takes long over fewer."""
    digits = "9" * 60_000
    assert parse(digits.encode()) == digits


def test_what_is_not_utf_8_is_latin_1() -> None:
    """As Brazilian back-ends write it, whatever their headers say."""
    assert parse('"São João é ç"'.encode("latin-1")) == "São João é ç"


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but a ValueError comes out, without the body."""
    with suppress(ValueError):
        parse(body)


@given(st.lists(st.integers(0xD7F0, 0xE010) | st.integers(0x20, 0x7E), max_size=8))
def test_a_text_is_one_that_any_store_can_keep(codes: list[int]) -> None:
    """Escapes that are whole characters become what they mean; half a one is refused."""
    escaped = "".join(f"\\u{code:04x}" for code in codes)
    meant = json.loads(f'"{escaped}"')
    for body in (f'["{escaped}"]', f'{{"{escaped}": 1}}'):
        if any("\ud800" <= character <= "\udfff" for character in meant):
            with pytest.raises(ValueError, match=r"^$"):
                parse(body.encode())
        else:
            assert meant in parse(body.encode())


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("beside", ["", ", [{}]" * 100], ids=["alone", "beside many small ones"])
def test_it_is_depth_that_is_limited_and_not_the_number_of_containers(
    beside: str, opening: str, closing: str
) -> None:
    """64 levels are read and 65 are not, lists and objects alike."""

    def nested(depth: int) -> bytes:
        return f"[{opening * depth}0{closing * depth}{beside}]".encode()

    assert MAX_DEPTH == 64
    assert parse(nested(63))
    with pytest.raises(ValueError, match=r"^$"):
        parse(nested(64))
