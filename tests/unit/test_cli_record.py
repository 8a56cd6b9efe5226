"""What `rasa-ps7 record` makes of an answer: the same to whoever reads it, and nobody in it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as running
from hypothesis import strategies as st

from actions.ps7 import PS7Settings
from actions.ps7.api.json_text import parse
from actions.ps7.api.wire import Answer
from actions.ps7.cli import documented
from actions.ps7.cli import vector as recording
from actions.ps7.cli.made_up import MadeUp
from actions.ps7.cli.scrub import scrubbed
from actions.ps7.cli.vector import ReadOtherwiseError, make_vector
from actions.ps7.cpf import is_valid
from tests.unit.test_vectors import not_null, read
from tests.vectors.vector import NAMES, NOON, Vector, from_case, load

NOW = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)


def settings(**more: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    required = {"base_url": "http://127.0.0.1", "username": "u", "password": "p"}
    return PS7Settings(_env_file=None, **{**required, **more})


def answer_of(vector: Vector) -> Answer:
    headers = {name.lower(): value for name, value in vector.headers.items()}
    return Answer(vector.status, headers, vector.body)


def record(body: object, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any option
    """Record an answer, and give the file."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = Answer(200, headers or {"content-type": "application/json"}, content)
    options = {"received_at": NOW, "settings": settings(), **more}
    case: dict[str, Any] = json.loads(make_vector(answer, **options))
    return case


# -- what is recorded is a vector -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_answer_can_be_recorded(name: str) -> None:
    """What comes out is read as the vectors are, and says the same of itself."""
    real = load(name)
    text = make_vector(
        answer_of(real), received_at=real.received_at, settings=settings(**real.settings)
    )
    again = from_case(json.loads(text))
    assert (again.outcome, again.reason, again.status) == (real.outcome, real.reason, real.status)
    assert sorted(again.doubtful) == sorted(real.doubtful)
    if again.outcome == "ok":
        slots, doubtful = read(again)
        assert not_null(slots) == again.slots
        assert sorted(doubtful) == again.doubtful
        assert again.slots.keys() == not_null(read(real)[0]).keys() - {
            name for name in real.slots if name.startswith("u_") or name == "ps7_payload"
        }


def test_a_recorded_customer() -> None:
    """The whole file, for an answer as PS7 sends it."""
    body = {
        "message": "success",
        "code": "0",
        "key": "key-ana",
        "expireIn": "3600",
        "decodedContextId": "ana",
        "payload": {
            "u_cpf": "52998224725",
            "u_ag": "0341",
            "u_cc": "00123456",
            "u_seg": "Personnalité",
            "u_id": "AUT",
            "u_dseg": "Token",
            "u_dsok": "S",
            "u_numA": "5511900000001",
            "nome": "Ana",
            "contexto": {"u_cpf": "529.982.247-25", "ana": "00052998224725"},
        },
    }
    assert record(body, about="Ana.") == {
        "about": "Ana.",
        "json": {
            "message": "success",
            "code": "0",
            "key": "abc-bcd",
            "expireIn": "3600",
            "decodedContextId": "bcd",
            "payload": {
                "u_cpf": "12345678909",
                "u_ag": "0123",
                "u_cc": "00234567",
                "u_seg": "Personnalité",
                "u_id": "AUT",
                "u_dseg": "Token",
                "u_dsok": "S",
                "u_numA": "1234567891234",
                "abcd": "Abc",
                "contexto": {"u_cpf": "123.456.789-09", "bcd": "00012345678909"},
            },
        },
        "outcome": "ok",
        "slots": {
            "cpf": "12345678909",
            "cpf_masked": "***.456.789-**",
            "agency": "0123",
            "account": "00234567",
            "segment": "Personnalité",
            "phone_number": "1234567891234",
            "identification": "authenticated",
            "security_device": "token",
            "token_status": "valid",
            "ps7_expires_at": "2024-05-10T13:00:00+00:00",
            "ps7_key": "abc-bcd",
            "ps7_decoded_context_id": "bcd",
        },
    }


def test_a_recorded_failure() -> None:
    """A status, a text that may quote the customer, and no slot."""
    answer = Answer(503, {"content-type": "text/html; charset=utf-8"}, b"<p>Ana 52998224725</p>")
    case = json.loads(make_vector(answer, received_at=NOW, settings=settings()))
    assert case == {
        "about": "Recorded from PS7: unavailable, server_error.",
        "status": 503,
        "headers": {"Content-Type": "text/html; charset=utf-8"},
        "text": "<a>Abc 12345678909</b>".replace("b>", "a>"),
        "outcome": "unavailable",
        "reason": "server_error",
    }


def test_when_it_came_is_told_only_where_it_matters() -> None:
    """Seconds count from any moment; a date needs the real one."""
    assert "received_at" not in record({"expireIn": 60, "payload": {"u_ag": "0341"}})
    dated = record(
        {"expireIn": "2026-11-24", "payload": {"u_ag": "0341"}}, settings=settings(max_age=86400.0)
    )
    assert dated["received_at"] == "2026-11-24T12:00:00+00:00"
    assert dated["slots"]["ps7_expires_at"] == "2026-11-25T03:00:00+00:00"
    assert from_case(dated).received_at == NOW


def test_settings_that_change_what_an_answer_gives_are_told() -> None:
    """The two that the reading of an answer depends on; no other."""
    chosen = settings(max_age=60.0, strict_cpf=True, attempts=1)
    case = record({"payload": {"u_cpf": "52998224724"}}, settings=chosen)
    assert case["settings"] == {"max_age": 60.0, "strict_cpf": True}
    assert case["doubtful"] == ["u_cpf"]
    assert case["slots"] == {"ps7_expires_at": "2024-05-10T12:01:00+00:00"}
    assert not is_valid(case["json"]["payload"]["u_cpf"])


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (b'{"payload": {"u_ag": "0341"}}', "json"),
        (b'\n{"payload":\t{"u_ag":"0341"} }', "json"),
        (b'{"payload": {"u_ag": "0341", "u_ag": "0342"}}', "text"),
        (b'{"payload": {"u_ag": "\\u0030341"}}', "text"),
        (b'{"payload": {"u_ag": 1.50}}', "text"),
        (b'{"payload": {"u_ag": 1e3}}', "text"),
        (b"null", "text"),
        (b'\xef\xbb\xbf{"payload": {"u_ag": "0341"}}', "encoding"),
        (b'{"payload": {"u_ag": "\xff"}}', "base64"),
        (b"", "outcome"),
    ],
)
def test_a_body_is_written_in_the_most_readable_form_that_loses_nothing(
    body: bytes, form: str
) -> None:
    """JSON where it says nothing in its own way, text, text in a charset, or bytes."""
    case = record(body)
    assert form in case
    forms = {"json", "text", "base64"} & case.keys()
    assert len(forms) == (form != "outcome")
    again = from_case(case).body
    assert re.sub(rb"\s", b"", again) == re.sub(rb"\s", b"", scrubbed(Answer(200, {}, body)).body)


def test_what_is_compressed_is_not_kept() -> None:
    """Nobody reads it, so nobody can tell who is in it; the header alone decides."""
    headers = {"content-type": "application/json", "content-encoding": "br"}
    case = record(b"\x1f\x8b Ana", headers)
    assert case == {
        "about": "Recorded from PS7: unavailable, compressed.",
        "headers": {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        "outcome": "unavailable",
        "reason": "compressed",
    }


def test_headers_that_decide_nothing_are_left_out() -> None:
    """They may name the customer, the server or the session; so may a content type."""
    headers = {"content-type": "ana/529; x=y", "set-cookie": "ana", "content-encoding": "Identity"}
    case = record({"payload": {"u_ag": "0341"}}, headers)
    assert case["headers"] == {"Content-Type": "abc/123; a=b", "Content-Encoding": "identity"}


def test_an_answer_that_made_up_data_would_change_is_not_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It fails closed: a vector that says something else than PS7 did would be a wrong test."""
    monkeypatch.setattr(recording, "scrubbed", lambda _: Answer(200, {}, b"{}"))
    with pytest.raises(ReadOtherwiseError):
        record({"payload": {"u_ag": "0341"}})


# -- nobody is in it ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("real", "made_up"),
    [
        ("52998224725", "12345678909"),
        ("00052998224725", "00012345678909"),
        ("529.982.247-25", "123.456.789-09"),
        (" 529 982 247-25", " 123 456 789-09"),
        ("11.222.333/0001-81", "12.123.234/0002-23"),
        ("CPF 529.982.247-25 e 52998224725", "ABC 123.456.789-09 a 12345678909"),
        ("12345678909", "23456789173"),
        ("01234567890", "02345678992"),
        ("00000000191", "00000000272"),
        ("52998224724", "12345678912"),
        ("0341", "0123"),
        ("0000", "0000"),
        ("São João", "Aéc Abéd"),
        ("ÁRVORE", "ÉBCDEF"),
        ("٣٤", "١٢"),
        ("名ª", "ªª"),
        ("a\u0300\ue123😀", "b\u0301\ue000😀"),
        ("s", "a"),
        ("", ""),
        ("+55 (11) 90000-0001", "+12 (23) 12345-0002"),
    ],
)
def test_a_text_keeps_its_shape(real: str, made_up: str) -> None:
    """Length, zeros in front, capitals, punctuation, and whether a CPF's check digits hold."""
    assert MadeUp([real]).text(real) == made_up


@pytest.mark.parametrize(
    ("real", "made_up"),
    [
        ("0", "0"),
        ("-7", "-1"),
        ("1.50", "2.30"),
        ("12e3", "23e3"),
        ("-0.050E-2", "-0.010E-2"),
        ("52998224725", "12345678909"),
        ("3.000", "1.000"),
    ],
)
def test_a_number_is_written_as_before(real: str, made_up: str) -> None:
    """Sign, digits, zeros behind the point and the exponent."""
    assert MadeUp([real]).number(real) == made_up


def test_the_same_text_becomes_the_same_and_two_become_two() -> None:
    """As long as there are enough: of 200 accounts no two are one, and none is a real one."""
    real = [f"{number:06}" for number in range(123_400, 123_600)]
    made_up = MadeUp(real)
    first = [made_up.text(text) for text in real[:60]]
    assert len(set(first)) == 60
    assert not set(first) & set(real)
    assert [made_up.text(text) for text in real[:60]] == first


def test_there_is_always_something_to_say() -> None:
    """Where no text is left that nobody has, one that is another than the real one will do."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    made_up = MadeUp(letters)
    assert all(made_up.text(letter) != letter for letter in letters)


NAMES_OF_FIELDS = st.sampled_from(
    [
        *(
            "u_cpf",
            "u_ag",
            "u_cc",
            "u_seg",
            "u_id",
            "u_dsok",
            "u_tpid",
            "contexto",
            "nome",
            "U_CPF",
        ),
        *("code", "message", "key", "expireIn", "decodedContextId", "error_msg"),
    ]
)
SECRETS = ("52998224725", "529.982.247-25", "Zenaide", "zenaide7", "55119000", "Rua Xavier 4471")
LEAVES = (
    st.sampled_from(SECRETS) | st.sampled_from([52998224725, 55119000, 55119000.25]) | st.none()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES_OF_FIELDS | st.sampled_from(SECRETS), inner, max_size=4)
    ),
    max_leaves=12,
)
PARTS = re.compile(r"52998224725|529\.982|zenaide|55119000|xavier|4471", re.IGNORECASE)


@running(deadline=None)
@given(
    value=VALUES,
    status=st.sampled_from([200, 400, 500]),
    ascii_only=st.booleans(),
    cut=st.integers(0, 30),
)
def test_nobody_is_left_in_an_answer(
    value: object, status: int, *, ascii_only: bool, cut: int
) -> None:
    """Wherever they stand, in values or in names, whole, or in an answer that was cut off."""
    whole = json.dumps({"payload": value}, ensure_ascii=ascii_only).encode()
    body = whole[: len(whole) - cut]
    answer = scrubbed(Answer(status, {"content-type": "application/json"}, body))
    assert not PARTS.search(answer.body.decode())
    assert len(answer.body) == len(body)


@pytest.mark.parametrize("name", documented.NAMES)
def test_no_documented_field_lets_somebody_through(name: str) -> None:
    """Each keeps its own words, codes and times alone: not a name, a number or an address."""
    payload = {name: [*SECRETS, 52998224725, 55119000]}
    body = json.dumps({"payload": payload, name: [*SECRETS, 55119000.25]}).encode()
    answer = scrubbed(Answer(200, {}, body))
    assert not PARTS.search(answer.body.decode())


@running(deadline=None, max_examples=40)
@given(st.text(max_size=40))
def test_any_text_becomes_one_as_long(text: str) -> None:
    """Character by character, whatever they are; and JSON stays JSON."""
    assert len(MadeUp([text]).text(text)) == len(text)
    for ascii_only in (True, False):
        body = json.dumps({text: text}, ensure_ascii=ascii_only).encode("utf-8", "backslashreplace")
        again = parse(scrubbed(Answer(200, {}, body)).body)
        [(name, value)] = again.items()
        assert len(name) == len(parse(body).popitem()[0])
        assert isinstance(value, str)


def test_a_vector_says_when_it_came_as_all_do() -> None:
    """The moment that the format takes where none is given is the one that is left out."""
    assert from_case({"about": "", "outcome": "ok"}).received_at == NOON
    assert asdict(from_case({"about": "", "outcome": "ok"}))["status"] == 200
