"""`rasa-ps7 lookup --shape`: what is said of an answer, and that no value of it is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pydantic import SecretStr

from actions.ps7 import Outcome, PS7Settings, Reason
from actions.ps7.cli.output import Output
from actions.ps7.cli.shape import described, shape, write
from actions.ps7.lookup.client import Lookup
from actions.ps7.lookup.wire import Answer
from actions.ps7.telemetry import LookupReport

REQUIRED: dict[str, Any] = {"base_url": "https://cec.example.com", "username": "u"}
SETTINGS = PS7Settings(**REQUIRED, password=SecretStr("planted"))
EXAMPLE = json.loads(
    """{"expireIn": "2021-03-21", "key": "12311", "decodedContextId": "2", "code": 0,
    "message": "", "payload": {"u_cpf": "CPF", "u_cc": "13156463165468461654", "u_ag": "Agency",
    "u_seg": "segment", "u_dest": "IVR", "u_numA": "Phone", "u_id": "AUT", "u_dseg": "Token",
    "u_dsok": "S", "u_ion": "", "u_display": "", "u_ura": "", "u_fmt": "", "u_codop": "",
    "u_tag": "", "u_tpid": "S", "contexto": {"u_cssc": "13"}}}"""
)


UNREAD = "past, or in no format that is read: PS7_MAX_AGE (3600 s) applies"


def of(content: Any, status: int = 200, undocumented: tuple[str, ...] = ()) -> dict[str, Any]:  # noqa: ANN401
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    answer = Answer(status, {"Date": "x", "X-Trace-12345": "y"}, body)
    report = LookupReport(status=status, seconds=0.0426, undocumented=undocumented)
    report.outcome, report.reason = Outcome.OK, Reason.OK
    return described(Lookup(report, answer=answer), SETTINGS)


def differing(said: dict[str, Any]) -> dict[str, str]:
    """Return each field that is not as documented, with its type and shape."""
    rows = [row for row in said["fields"] if row["differs"]]
    kinds = ((row["field"], f"{row['type']} {row['shape']}", row["differs"]) for row in rows)
    return {field: f"{kind.strip()}: {differs}" for field, kind, differs in kinds}


def with_field(**more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**EXAMPLE, "payload": {**EXAMPLE["payload"], **more}}


def test_the_documented_example_differs_in_nothing() -> None:
    """What stands around it is said too: status, milliseconds, headers by their names alone."""
    said = of(EXAMPLE)
    fields = said.pop("fields")
    assert [row["field"] for row in fields if row["differs"]] == []
    assert said.pop("body").startswith("JSON, ")
    assert said == {
        "outcome": "ok",
        "reason": "ok",
        "status": 200,
        "milliseconds": 43,
        "headers": ["(a-aaaaa-99999)", "date"],
        "expireIn": f"text 9999-99-99: {UNREAD}",
    }


PAYLOAD = EXAMPLE["payload"]
UNKNOWN = {
    "payload.u_new": "object (1): undocumented",
    "payload.u_new.nome": "list (1): undocumented",
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (with_field(u_ag=None), {"payload.u_ag": "null: text is documented"}),
        (with_field(u_cc=13156463), {"payload.u_cc": "number 99999999: text is documented"}),
        (with_field(u_new={"nome": ["Ana"]}), UNKNOWN),
        (with_field(**{"529.98": 1}), {"payload.(999.99)": "number 9: undocumented"}),
        ({**EXAMPLE, "code": True}, {"code": "boolean: text or number is documented"}),
        ([EXAMPLE], {"(all)": "list (1): object is documented"}),
        (
            {**{key: EXAMPLE[key] for key in EXAMPLE if key != "payload"}, "data": PAYLOAD},
            {"data": "object (17): undocumented", "payload": "-: missing"},
        ),
    ],
)
def test_what_differs_is_named(content: Any, expected: dict[str, str]) -> None:  # noqa: ANN401
    """Missing, undocumented, of another type: by field. A name that is data shows its shape."""
    assert differing(of(content)) == expected


def test_a_value_that_is_not_documented_is_named() -> None:
    """As the lookup found it."""
    said = of(with_field(u_dseg="Carimbo"), undocumented=("u_dseg",))
    assert differing(said) == {"payload.u_dseg": "text aaaaaaa: not a documented value"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (600, "number 999: read: it applies"),
        ("2099-12-31", "text 9999-99-99: later than that: PS7_MAX_AGE (3600 s) applies"),
        ("10 min", f"text 99 aaa: {UNREAD}"),
        (None, f"null: {UNREAD}"),
    ],
)
def test_what_is_made_of_the_end(value: object, said: str) -> None:
    """Its format, and whether it counts."""
    assert of({**EXAMPLE, "expireIn": value})["expireIn"] == said


@pytest.mark.parametrize("body", [b"<html>Ana</html>", b"[" * 5000, b"\xff\xfe\x00"])
def test_what_is_no_json_shows_its_length(body: bytes) -> None:
    """And nothing else."""
    said = of(body, 502)
    assert (said["body"], "fields" in said) == (f"not JSON, {len(body)} bytes", False)


def test_no_answer_has_no_shape() -> None:
    """That none came is said."""
    said = described(Lookup(LookupReport()), SETTINGS)
    assert (said["status"], said["body"]) == (None, "no answer came, or not whole")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("529.982.247-25", "999.999.999-99"),
        ("José Ação ٣x€", "aaaa aaaa 9a?"),
        ("x" * 70, f"{'a' * 60}… (70)"),
        ("", ""),
    ],
)
def test_a_shape(text: str, expected: str) -> None:
    """Digits are 9 and letters a, of whatever script."""
    assert shape(text) == expected


def test_a_person_reads_the_same_and_no_value(capsys: pytest.CaptureFixture[str]) -> None:
    """It says of itself that it can be sent."""
    write(Output(), of(with_field(u_cpf="529.982.247-25", u_x="Ana")), "0.1.0")
    out = capsys.readouterr().out
    assert out.startswith("rasa-ps7 0.1.0: the shape of one answer, without its values.\n")
    assert re.search(r"\npayload\.u_cpf +text +999\.999\.999-99\n", out)
    assert re.search(r"\npayload\.u_x +text +aaa +undocumented\n", out)
    assert not re.search("529|Ana|13156|Agency|planted", out)
