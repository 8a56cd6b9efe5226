"""JSON from the wire: nothing is lost, and nothing but a ValueError comes out."""

from __future__ import annotations

import json
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.api.json_text import MAX_DEPTH, parse

pytestmark = pytest.mark.versions

KINDS = ["iso-8859-1", "latin1", "iso-8859-15", "windows-1252", "cp1252", "utf-16"]

scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text()
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
        ("0", 0),
        ("7", 7),
        ("-7", -7),
        ("1.5", 1.5),
        ("0.001", 0.001),
        ("9007199254740991", 9007199254740991),
        ("-9007199254740991", -9007199254740991),
        ("9007199254740992", "9007199254740992"),
        ("-9007199254740992", "-9007199254740992"),
        ("-0", "-0"),
        ("1.50", "1.50"),
        ("1e3", "1e3"),
        ("1E400", "1E400"),
        ("0.1000000000000000055", "0.1000000000000000055"),
    ],
)
def test_a_number_is_one_only_where_nothing_is_lost(literal: str, value: object) -> None:
    """JavaScript, gRPC and databases keep whole numbers below 2^53; beyond, it is its text."""
    read = parse(f"[{literal}]".encode())
    assert read == [value]
    assert type(read[0]) is type(value)


def test_a_number_of_many_digits_is_read_at_once() -> None:
    """Python itself refuses to read more than 4300 digits, and takes long over fewer."""
    digits = "9" * 60_000
    assert parse(digits.encode()) == digits


# Depth


def nested(depth: int, opening: str, closing: str) -> bytes:
    """Write containers inside each other."""
    return (opening * depth + "0" + closing * depth).encode()


# Charsets


@pytest.mark.parametrize("charset", KINDS)
@pytest.mark.parametrize("form", ["{}", '"{}"', " {} ", "{};q=1", '"{}"; q=1'])
def test_a_declared_charset_is_used_where_utf_8_fails(charset: str, form: str) -> None:
    """Whatever its case, in quotes or not, among other parameters."""
    body = json.dumps("São João é ç", ensure_ascii=False).encode(charset)
    for name in (charset, charset.upper()):
        content_type = f"application/json; a=b; charset={form.format(name)}"
        assert parse(body, content_type) == "São João é ç"


@pytest.mark.parametrize(
    "charset", ["utf-8", "us-ascii", "utf-7", "idna", "unheard-of", "ebcdic-br", ""]
)
def test_other_charsets_are_not_guessed(charset: str) -> None:
    """No back-end here is known to use them, and some of Python's codecs are no charsets at all."""
    body = '"São"'.encode("latin-1")
    with pytest.raises(ValueError):  # noqa: PT011 - it is Python's own error
        parse(body, f"application/json; charset={charset}")


@given(st.binary(max_size=200), st.sampled_from(["", *KINDS, "utf-7"]))
def test_any_bytes_are_read_or_refused(body: bytes, charset: str) -> None:
    """Nothing but a ValueError comes out."""
    with suppress(ValueError):
        parse(body, f"application/json; charset={charset}")


# Surrogates

units = st.lists(
    st.integers(0xD7F0, 0xE010) | st.integers(0x20, 0x7E) | st.sampled_from([0xFEFF, 0xFFFE]),
    max_size=8,
)


@given(units)
def test_a_text_is_one_that_any_store_can_keep(codes: list[int]) -> None:
    """Escapes that are no whole character become U+FFFD, one each; pairs become what they mean."""
    escaped = "".join(f"\\u{code:04x}" for code in codes)
    read = parse(f'{{"{escaped}": ["{escaped}"]}}'.encode())
    ((key, (text,)),) = read.items()
    assert key == text
    text.encode()
    whole = re.sub(
        "[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]",
        lambda match: "\ufffd" if len(match[0]) == 1 else _joined(match[0]),
        "".join(map(chr, codes)),
    )
    assert text == whole


def _joined(pair: str) -> str:
    return chr(0x10000 + ((ord(pair[0]) - 0xD800) << 10) + (ord(pair[1]) - 0xDC00))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("beside", [b"", b", [{}]" * 100], ids=["alone", "beside many small ones"])
def test_it_is_depth_that_is_limited_and_not_the_number_of_containers(
    beside: bytes, opening: str, closing: str
) -> None:
    """64 levels are read and 65 are not, lists and objects alike."""
    assert MAX_DEPTH == 64
    assert parse(b"[" + nested(63, opening, closing) + beside + b"]")
    with pytest.raises(ValueError, match=r"^$"):
        parse(b"[" + nested(64, opening, closing) + beside + b"]")
