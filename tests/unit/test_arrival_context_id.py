"""What a contextId is, where it stands in metadata, and what tells it from others."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.conversation.arrival import (
    Arrival,
    arrival_in,
    fingerprint,
    look_in,
    unusable,
    usable,
)


def found(value: object, default_encoded: int | None = None, **beside: object) -> Arrival:
    hit = look_in({"contextId": value, **beside}, [["contextId"]])
    assert hit is not None
    return arrival_in(hit, default_encoded)


# Where it stands


BLANK: tuple[object, ...] = (None, "", "   ", "\t\n", False, [], {})


@pytest.mark.parametrize(
    ("metadata", "value"),
    [
        ({"contextId": "C1"}, "C1"),
        ({"contextId": "C3", "channel": {"ps7": "no object"}, "body": {"contextId": "C2"}}, "C2"),
        ({"contextId": "C3", "channel": {"ps7": {"contextId": "C1"}}, "body": {}}, "C1"),
        ({"contextId": "C3", "body": {"contextId": " "}}, "C3"),
        ({"contextId": 0}, 0),
        *(({"contextId": blank}, None) for blank in BLANK),
        *((odd, None) for odd in (None, ["contextId"], {"channel": ["ps7"]})),
    ],
)
def test_paths_are_tried_in_order_and_lead_into_objects(metadata: object, value: object) -> None:
    """`PS7_METADATA_KEYS`: the first that leads to a value; null, blank or empty is none."""
    paths = [["channel", "ps7", "contextId"], ["body", "contextId"], ["contextId"]]
    hit = look_in(metadata, paths)
    assert (hit and hit.value) == value
    assert (hit is None) is (value is None)
    assert hit is None or value in hit.beside.values(), "its ids stand beside it"


# What is usable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((text, text) for text in ("a", "x" * 256, "ação-€")),
        *((whole, str(whole)) for whole in (0, -5, 2**80)),
        (12345.0, "12345"),
        (float(2**53 - 1), str(2**53 - 1)),
    ],
)
def test_printable_text_and_whole_numbers_are_usable(value: object, text: str) -> None:
    """Printable text without white space, and whole numbers as their digits."""
    assert usable(value) == text
    arrived = found(value)
    assert (arrived.context_id, arrived.value) == (text, value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 257,
        *("two words", " led", "trailed ", "line\nbreak", "tab\there", "no-break\u00a0space"),
        *("nul\x00", "escape\x1b[31m", "right-to-left\u202e", "zero-width\u200b", "lone\ud800"),
        *(True, False, 1.5, float(2**53), float("nan"), float("inf"), 10**256),
        pytest.param(10**5000, id="5001 digits"),
        *([], ["C1"], {}, {"id": "C1"}),
    ],
)
def test_a_context_id_with_blanks_or_beyond_its_size_is_unusable(value: object) -> None:
    """Anything else is found, and found unusable."""
    assert usable(value) is None


# What tells it from others


def test_a_contextid_is_known_by_its_text_and_how_it_is_encoded() -> None:
    """The same in every process and in every release: 22 characters of SHA-256, with no key.

    PS7's gateway treats `encoded` 1 like none; over gRPC the number 5 arrives as 5.0.
    """
    assert fingerprint("ana") == fingerprint("ana", 1) == "84iNuJrL-kZjOrOHyTLr1w"
    assert fingerprint("ana", 0) == "LJ5GStzZ65Ubekw59p3lOw"
    assert unusable("two words") == "NIEj_iR07k3jWACaCJv2tQ"
    assert unusable(10**5000) == "vnn7JmxilUdjq8nDdIyzaA"
    names = [("ana", None), ("ana", 0), ("ana,0", None), ("an", 0), ("", None)]
    assert len({fingerprint(*name) for name in names}) == len(names)
    assert {found(value).fingerprint for value in ("5", 5, 5.0)} == {fingerprint("5", None)}
    assert found("ana", 1).fingerprint == found("ana", 0, encoded="1").fingerprint
    assert found("ana", 0).fingerprint == fingerprint("ana", 0)


def test_what_is_not_usable_is_told_apart_as_well() -> None:
    """The same again is the same, and nothing is taken for a contextId."""
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    values = [[1], [2], {"a": 1}, "two words", True, "true ", 10**5000, nested]
    names = {found(value).fingerprint for value in values}
    assert names == {unusable(value) for value in values}
    assert [len(name) for name in names] == [22] * len(values)
    assert unusable("ana") != fingerprint("ana", None)
    assert unusable({"a": 1, "b": 2}) == unusable({"b": 2, "a": 1})


# What stands beside it


ENCODED: dict[object, int] = {0.0: 0, "0": 0, 1: 1, "1": 1, None: 9, " 1": 9, 2: 9}


@pytest.mark.parametrize(("value", "encoded"), [*ENCODED.items(), (True, 9), ([], 9)])
def test_encoded_is_read_in_each_form_and_else_is_the_setting(value: object, encoded: int) -> None:
    """0 and 1 in each form in which a channel may write them; else `PS7_ENCODED`, here 9."""
    assert found("C1", 9, encoded=value).encoded == encoded


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("3fa85f64-5717-4562-b3fc-2c963f66afa6", True),
        *((plain, True) for plain in ("a.B_c-9", "x" * 128, "52998224726")),
        *((cpf, False) for cpf in ("52998224725", "000.529.982_247-25")),
        *((odd, False) for odd in ("x" * 129, "", "two words", "line\nbreak", "trailing\n")),
        *((odd, False) for odd in ("ação", 5, None)),
    ],
)
def test_only_short_plain_ids_are_taken(value: object, taken: bool) -> None:
    """Ids go into headers: only short plain ones are taken."""
    ids = found("C1", correlationId=value, flowId=value)
    assert (ids.correlation_id, ids.flow_id) == ((value, value) if taken else (None, None))
