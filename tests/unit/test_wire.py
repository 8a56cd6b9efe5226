"""What goes to PS7, exactly, and what comes back: `tests/vectors` has an answer of each kind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import tzset

import pytest

from actions.ps7.customer import CUSTOMER_SLOTS, project
from actions.ps7.lookup import wire
from actions.ps7.lookup.wire import (
    Answer,
    Request,
    build_request,
    decode,
    parse,
    retry_after,
    usable_until,
)
from actions.ps7.outcomes import LookupFailed
from actions.ps7.settings import PS7Settings
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


def build(
    context_id: str = "123123213",
    argument: int | None = None,
    **settings: object,
) -> Request:
    """Build a request, by default that of the documented example."""
    login = {"base_url": URL, "username": "bot-user", "password": "bot-password"}
    given = PS7Settings.model_validate({**login, **settings})
    return build_request(given, context_id, encoded=argument, correlation_id=None, flow_id="flow-1")


def test_a_request_has_no_header_that_nobody_asked_for() -> None:
    """What each says, tests/host has, and those of settings and arguments; `repr` shows none."""
    request = build()
    assert {*request.headers} == {
        *("Content-Type", "Accept", "Accept-Encoding", "Connection"),
        *("userName", "password", "x-itau-flowID"),
    }
    assert repr(request) == f"Request(url='{URL}{PATH}')"
    assert repr(Answer(200, {"x": "header"}, b"body")) == "Answer(status=200)"


@pytest.mark.parametrize("setting", [None, 0, 1])
@pytest.mark.parametrize("argument", [None, 0, 1])
def test_encoded_is_text_in_the_body(setting: int | None, argument: int | None) -> None:
    """The argument counts before the setting, 0 included; without both it is left out."""
    counts = setting if argument is None else argument
    encoded = {} if counts is None else {"encoded": str(counts)}
    body = json.loads(build(argument=argument, encoded=setting).body)
    assert body == {"contextId": "123123213", **encoded}


def test_the_url_is_the_base_and_the_path() -> None:
    """What a base URL may be, tests/unit/test_settings.py has."""
    assert build(base_url="http://[::1]:8080/banco/").url == f"http://[::1]:8080/banco{PATH}"


@pytest.mark.parametrize("context_id", ['"\\/', "ação 😀", "\x00\u2028", "\ud800", "a\udfffb"])
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
    ended: tuple[object, ...] = ("ok", "ok", 200)
    try:
        slots, undocumented = read(vector)
    except LookupFailed as failure:
        slots, undocumented = {}, ()
        ended = (failure.outcome, failure.reason, failure.status)
    assert ended == (vector.outcome, vector.reason, vector.status)
    assert slots == {slot: value for slot, value in vector.slots.items() if value is not None}
    assert sorted(undocumented) == sorted(vector.undocumented)
    stored = json.dumps(slots, allow_nan=False, ensure_ascii=False).encode()
    assert json.loads(stored) == slots


def test_no_answer_of_the_files_is_lost() -> None:
    """Not one in a file with another ending, nor one whose name stands twice."""
    texts = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.*")}
    assert len(NAMES) == sum(text.count('"about":') for text in texts.values()) > 200
    assert {Path(name).suffix for name in texts} == {".json", ".py"}


NOW = datetime(2026, 11, 24, 12, 0, 0, 700_000, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0", 0.0), ("007", 7.0), (" 3 ", 3.0), ("9" * 400, float("inf"))),
        ("Tue, 24 Nov 2026 12:01:00 GMT", 59.3),
        ("Tue, 24 Nov 2026 12:00:00 GMT", 0.0),
        ("Tue Nov 24 12:00:01 2026", 0.3),
        ("Tue, 24 Nov 2026 09:00:01 -0300", 0.3),
        *((text, None) for text in ("", "soon", "-1", "+1", "1.5", "1e3", "2 s", "²", "٣")),
        *((text, None) for text in ("2026-11-24T12:00:01Z", "Tue, 31 Feb 2026 12:00:01 GMT")),
        ("Tue, 24 Nov 2026 12:00:01 +99999999999", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(text: str, seconds: float | None) -> None:
    """RFC 9110: whole seconds, or a date in one of three forms; what is past is now.

    What cannot be understood asks for nothing. A failure carries it, whatever the status.
    """
    assert retry_after(Answer(503, {"retry-after": text}, b""), NOW) == pytest.approx(seconds)
    with pytest.raises(LookupFailed) as caught:
        decode(Answer(401, {"retry-after": text}, b""), received_at=NOW, max_age=60)
    assert caught.value.retry_after == pytest.approx(seconds)
    assert retry_after(Answer(503, {}, b""), NOW) is None


# JSON


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_it_is_depth_that_is_limited(opening: str, closing: str) -> None:
    """64 levels are read and 65 are not, lists and objects alike, however many there are."""
    assert parse(f"[{opening * 63}0{closing * 63}{', [{}]' * 100}]".encode())
    with pytest.raises(ValueError, match=r"^$"):
        parse(f"[{opening * 64}0{closing * 64}]".encode())


# How long it holds

NOON = datetime(2024, 5, 10, 12, 0, tzinfo=timezone.utc)
MONTH = 31 * 86400.0


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
        ("2024-05-10T12:00:00Z", "is past", "9999-99-99a99:99:99a"),
        ("5 min\u0007", "cannot be read", "9 aaa?"),
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
    assert problem is None or expiry.until == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("literal", "read"),
    [
        ("123456789012345", 123456789012345),
        ("1234567890123456", "1234567890123456"),
        ("-12345678901234", -12345678901234),
        ("-123456789012345", "-123456789012345"),
        ("0", 0),
        ("-0", "-0"),
    ],
)
def test_a_whole_number_is_one_as_long_as_a_double_can_be_it(literal: str, read: object) -> None:
    """15 characters; a longer one is its text, so that nobody rounds an account."""
    got = parse(f'{{"n": {literal}}}'.encode())["n"]
    assert (got, type(got)) == (read, type(read))
