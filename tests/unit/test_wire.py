"""What goes to PS7, exactly, and what comes back: `tests/vectors` has an answer of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from time import tzset
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.api import wire
from actions.ps7.api.wire import (
    Answer,
    Expiry,
    Request,
    build_request,
    decode,
    parse,
    retry_after,
    usable_until,
)
from actions.ps7.errors import LookupFailed
from actions.ps7.settings import PS7Settings
from actions.ps7.slots import CUSTOMER_SLOTS, project
from tests.vectors.vector import FOLDER, NAMES, Vector, load

pytestmark = pytest.mark.versions


@pytest.fixture(autouse=True, scope="module")
def _machine_in_tokyo() -> Iterator[None]:
    """Run this machine in a time zone of its own: what is shown is in UTC wherever it stands."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", "Asia/Tokyo")
        tzset()
        yield
    tzset()


# The request

URL = "https://cec.example.com"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
BODY = b'{"contextId": "123123213"}'
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "userName": "bot-user",
    "password": "bot-password",
    "x-itau-flowID": "flow-1",
}


def build(
    context_id: str = "123123213",
    argument: int | None = None,
    correlation_id: str | None = None,
    **settings: object,
) -> Request:
    """Build a request, by default that of the documented example."""
    login = {"base_url": URL, "username": "bot-user", "password": "bot-password"}
    values: dict[str, Any] = {**login, **settings}
    return build_request(
        PS7Settings(_env_file=None, **values),
        context_id,
        encoded=argument,
        correlation_id=correlation_id,
        flow_id="flow-1",
    )


def test_a_request_has_the_headers_that_settings_and_arguments_ask_for() -> None:
    """Exactly these, by their names on the wire; its `repr` shows none of them."""
    assert build() == Request(URL + PATH, HEADERS, BODY)
    request = build(correlation_id="trail-1", api_key="an-api-key", app_key="an-app-key")
    assert request.headers == {
        **HEADERS,
        "x-itau-apikey": "an-api-key",
        "x-app-key": "an-app-key",
        "x-itau-correlationID": "trail-1",
    }
    assert repr(request) == f"Request(url='{URL}{PATH}')"
    assert repr(Answer(200, {"x": "header"}, b"body")) == "Answer(status=200)"


@pytest.mark.parametrize("setting", [None, 0, 1])
@pytest.mark.parametrize("argument", [None, 0, 1])
def test_encoded_is_text_in_the_body(setting: int | None, argument: int | None) -> None:
    """The argument counts before the setting, 0 included; without both it is left out."""
    counts = setting if argument is None else argument
    field = "" if counts is None else f', "encoded": "{counts}"'
    assert (
        build(argument=argument, encoded=setting).body
        == f'{{"contextId": "123123213"{field}}}'.encode()
    )


@pytest.mark.parametrize("base", [f"{URL}:8443", "http://[::1]:8080", f"{URL}/banco"])
def test_the_url_is_the_base_and_the_path(base: str) -> None:
    """With or without a slash at the end of `PS7_BASE_URL`."""
    for given_url in (base, f"{base}/"):
        assert build(base_url=given_url).url == f"{base}{PATH}"


@given(st.text(min_size=1) | st.sampled_from(["\ud800", "a\udfffb"]))
def test_any_context_id_arrives_unchanged(context_id: str) -> None:
    """Quotes, emoji, half a character: what a JSON reader gets is what was found."""
    body = build(context_id).body
    assert json.loads(body) == {"contextId": context_id}
    assert body.isascii()


# The answer


def read(vector: Vector) -> tuple[dict[str, object], tuple[str, ...]]:
    """Return the slots that an answer leads to and that hold something, and undocumented fields.

    They are all slots that a customer has by default, and what the vector names beside them.
    """
    headers = {name.lower(): value for name, value in vector.headers.items()}
    decoded = decode(
        Answer(vector.status, headers, vector.body),
        received_at=vector.received_at,
        **{"max_age": 3600.0, **vector.settings},
    )
    names = {*CUSTOMER_SLOTS, *vector.slots} - ({"ps7_payload"} - set(vector.slots))
    slots = project({name: name for name in names}, decoded.customer)
    return {slot: slots[slot] for slot in slots if slots[slot] is not None}, decoded.undocumented


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_gives_what_its_vector_says(name: str) -> None:
    """Outcome, reason, slots, undocumented fields; slots that are not named are null.

    Slots cross the wire to Rasa and its tracker store as JSON in UTF-8, without loss.
    """
    vector = load(name)
    if vector.outcome == "ok":
        slots, undocumented = read(vector)
        expected = {slot: value for slot, value in vector.slots.items() if value is not None}
        assert (slots, vector.reason) == (expected, "ok")
        assert sorted(undocumented) == sorted(vector.undocumented)
        stored = json.dumps(slots, allow_nan=False, ensure_ascii=False).encode()
        assert json.loads(stored) == slots
        return
    with pytest.raises(LookupFailed) as caught:
        read(vector)
    failure = caught.value
    assert (failure.outcome.value, failure.reason.value) == (vector.outcome, vector.reason)
    assert failure.status == vector.status
    assert (vector.slots, vector.undocumented) in (({}, ()), ({}, []))


def test_every_file_there_is_a_vector() -> None:
    """A file with another ending would be forgotten without a word."""
    others = {path.name for path in FOLDER.iterdir()} - {f"{name}.json" for name in NAMES}
    assert others - {"__pycache__"} == {"README.md", "vector.py"}
    assert len(NAMES) > 200


NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0", 0.0), ("007", 7.0), (" 3 ", 3.0), ("9" * 400, float("inf"))),
        ("Tue, 24 Nov 2026 12:01:00 GMT", 59.3),
        ("Tuesday, 24-Nov-26 12:00:01 GMT", 0.3),
        ("Tue Nov 24 12:00:01 2026", 0.3),
        ("Tue, 24 Nov 2026 09:00:01 -0300", 0.3),
        ("Tue, 24 Nov 2026 12:00:01 -0000", 0.3),
        ("Tue, 24 Nov 2026 12:00:00 GMT", 0.0),
        *((text, None) for text in ("", "soon", "-1", "+1", "1.5", "1e3", "2 s", "²", "٣")),
        *((text, None) for text in ("2026-11-24T12:00:01Z", "Tue, 31 Feb 2026 12:00:01 GMT")),
        ("Tue, 24 Nov 2026 12:00:01 +99999999999", None),
    ],
)
def test_what_a_server_asks_to_wait(text: str, seconds: float | None) -> None:
    """RFC 9110: whole seconds, or a date in one of three forms; what is past is now.

    What cannot be understood asks for nothing. A failure carries it, whatever the status.
    """
    assert retry_after(Answer(503, {"retry-after": text}, b""), NOW) == pytest.approx(seconds)
    with pytest.raises(LookupFailed) as caught:
        decode(Answer(401, {"retry-after": text}, b""), received_at=NOW, max_age=60)
    assert caught.value.retry_after == pytest.approx(seconds)
    assert retry_after(Answer(503, {}, b""), NOW) is None


# JSON

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
        *(("0", 0), ("-7", -7), ("1.5", 1.5), ("999999999999999", 999999999999999)),
        *((text, text) for text in ("1000000000000000", "-100000000000000", "-0", "-0.00")),
        *((text, text) for text in ("1.50", "1e3", "1E400", "0.1000000000000000055", "9" * 60_000)),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_number_is_one_only_where_nothing_is_lost(literal: str, value: object) -> None:
    """JavaScript, gRPC and databases keep 15 digits; beyond, it is its text.

    Python itself refuses to read more than 4300 digits, and takes long over fewer.
    """
    (number,) = parse(f"[{literal}]".encode())
    assert (number, type(number)) == (value, type(value))


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Nothing but a ValueError comes out."""
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
    assert parse(f"[{opening * 63}0{closing * 63}{beside}]".encode())
    with pytest.raises(ValueError, match=r"^$"):
        parse(f"[{opening * 64}0{closing * 64}{beside}]".encode())


# How long it holds

NOON = datetime(2024, 5, 10, 12, 0, tzinfo=timezone.utc)
MONTH = 31 * 86400.0
DATES = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9:]{4,5})?)?"
anything = scalars | st.floats() | st.from_regex(DATES) | st.lists(st.integers())
moments = st.integers(946684800, 4102444800).map(
    lambda seconds: datetime.fromtimestamp(seconds, timezone.utc)
)


@given(anything, moments, st.floats(0.001, MONTH))
def test_whatever_stands_there_an_answer_holds_for_a_while_and_no_longer_than_allowed(
    expire_in: object, received_at: datetime, max_age: float
) -> None:
    """Never past, never beyond `PS7_MAX_AGE`, always in UTC, and no error comes out."""
    until = usable_until(expire_in, received_at, max_age).until
    assert received_at < until <= received_at + timedelta(seconds=max_age)
    assert until.utcoffset() == timedelta(0)


@given(st.dates(date(2024, 5, 10), date(2024, 6, 8)), st.floats(0, 86399))
def test_a_date_lasts_until_the_last_second_of_that_day_in_sao_paulo(
    day: date, second: float
) -> None:
    """Every moment of that day is before the end, and the next day's first one is not."""
    until = usable_until(day.isoformat(), NOON, MONTH).until
    midnight = datetime.combine(day, time.min, ZoneInfo("America/Sao_Paulo"))
    assert midnight + timedelta(seconds=second) < until
    assert until == midnight + timedelta(days=1)


@pytest.mark.parametrize("text", ["2024-05-11", "2024-05-10T12:00:01"])
def test_without_zone_data_a_local_time_cannot_be_told(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Better a shorter use than an error: `PS7_MAX_AGE` alone."""
    monkeypatch.setattr(wire, "ZONE", "America/Nowhere")
    assert usable_until(text, NOON, MONTH).until == NOON + timedelta(seconds=MONTH)
    assert usable_until("2024-05-10T12:00:01Z", NOON, MONTH).until == NOON + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("expire_in", "problem", "shape"),
    [
        *((nothing, None, "") for nothing in (None, "", "  ", 60, 31 * 86400, "2024-05-10")),
        (31 * 86400 + 1, "cannot be read", "9999999"),
        ("2021-03-21", "is past", "9999-99-99"),
        (0, "is 0 or less", "9"),
        ("-60.5", "is 0 or less", "-99.9"),
        ("2024-05-10T12:00:00Z", "is past", "9999-99-99a99:99:99a"),
        ("5 min\u0007", "cannot be read", "9 aaa?"),
        ("1e999", "cannot be read", "9a999"),
        ("2024-05-32", "cannot be read", "9999-99-99"),
        ("é٣" * 40, "cannot be read", "a9" * 20),
        *((other, "cannot be read", type(other).__name__) for other in (True, [5])),
    ],
)
def test_what_was_not_expected_is_named_by_its_shape(
    expire_in: object, problem: str | None, shape: str
) -> None:
    """Digits as 9, letters as a, and no value; then `PS7_MAX_AGE` applies."""
    expiry = usable_until(expire_in, NOON, 86400.0)
    assert (expiry.problem, expiry.shape) == (problem, shape)
    limit = NOON + timedelta(days=1)
    assert problem is None or expiry == Expiry(limit, problem, shape)
