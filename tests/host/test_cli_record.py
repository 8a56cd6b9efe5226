"""`rasa-ps7 record` against the simulator: the file, and what stands in the way of one."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.command import main
from actions.ps7.testing import FAULTS, PERSONAS
from tests.support.command import command
from tests.unit.test_vectors import not_null, read
from tests.vectors.vector import from_case

if TYPE_CHECKING:
    from pathlib import Path

    from actions.ps7.testing import Simulator

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

BRUNO = """\
{
  "about": "Recorded from PS7: ok, ok.",
  "json": {
    "message": "success",
    "code": "0",
    "key": "abc-abcde",
    "expireIn": "3600",
    "decodedContextId": "abcde",
    "payload": {
      "u_cpf": "12345678909",
      "u_ag": "1234",
      "u_cc": "00001234",
      "u_seg": "Varejo",
      "u_id": "IDE",
      "u_dseg": "Token",
      "u_dsok": "N",
      "u_dest": "abcdef",
      "u_numA": "1234567891234"
    }
  },
  "outcome": "ok",
  "slots": {
    "cpf": "12345678909",
    "cpf_masked": "***.456.789-**",
    "agency": "1234",
    "account": "00001234",
    "segment": "Varejo",
    "ivr_option": "abcdef",
    "phone_number": "1234567891234",
    "identification": "identified",
    "security_device": "token",
    "token_status": "invalid",
    "ps7_expires_at": "2024-05-10T13:00:00+00:00",
    "ps7_key": "abc-abcde",
    "ps7_decoded_context_id": "abcde"
  }
}
"""


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def run(*arguments: str | Path) -> int:
    """Run the command here, in a thread of its own: the simulator needs this one."""
    return await asyncio.to_thread(main, ["record", *map(str, arguments)])


async def test_an_answer_is_printed(settings: dict[str, str], tmp_path: Path) -> None:
    """As a process: the file, and nothing beside it."""
    ended = await command("record", "bruno", cwd=tmp_path, variables=settings)
    assert ended == (0, BRUNO, "")


@pytest.mark.usefixtures("settings")
async def test_an_answer_goes_into_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is printed; a file that exists is left as it is."""
    file = tmp_path / "account.json"
    assert await run("bruno", "--output", file, "--about", "A retail account.") == 0
    assert capsys.readouterr() == ("", "")
    text = file.read_text(encoding="utf-8")
    assert text == BRUNO.replace("Recorded from PS7: ok, ok.", "A retail account.")
    assert not stat.S_IMODE(file.stat().st_mode) & stat.S_IXUSR
    assert await run("ana", "--output", file) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"{file} cannot be written: File exists\n")
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("name", PERSONAS)
async def test_every_customer_is_recorded_and_gone(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """The vector holds, and none of the customer's values is in it."""
    who = PERSONAS[name]
    assert await run(who.context_id) == 0
    out, err = capsys.readouterr()
    vector = from_case(json.loads(out))
    slots, doubtful = read(vector)
    assert (err, vector.outcome) == ("", "ok")
    assert not_null(slots) == vector.slots
    assert sorted(doubtful) == vector.doubtful
    known = {name for name, value in who.slots.items() if value is not None}
    assert vector.slots.keys() == known - {"ps7_status"} | {"ps7_expires_at"}
    private = ("cpf", "account", "phone_number", "ps7_decoded_context_id")
    told = json.dumps([vector.slots, vector.body.decode()], ensure_ascii=False)
    for slot in private:
        value = who.slots[slot]
        assert value is None or len(value) < 3 or value not in told


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "name", ["http-400", "not-found", "http-500", "http-401", "http-404", "unreadable", "http-503"]
)
async def test_a_failure_is_recorded_too(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """What a bot must make of it is the fault's own outcome and reason."""
    fault = FAULTS[name]
    assert await run(name) == 0
    case = json.loads(capsys.readouterr().out)
    told = (case["outcome"], case["reason"], case.get("status", 200))
    assert told == (fault.outcome, fault.reason, fault.status)


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("name", "ended"), [("too-large", "answer_too_large"), ("slow", "deadline")]
)
async def test_no_answer_is_no_file(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    ended: str,
) -> None:
    """Where nothing came, or not whole, it says how the lookup ended."""
    monkeypatch.setenv("PS7_DEADLINE", "0.3")
    assert await run(name, "--output", tmp_path / "none.json") == 1
    said = f"PS7 gave no answer that could be recorded: unavailable, {ended}\n"
    assert capsys.readouterr() == ("", said)
    assert files_in(tmp_path) == []


@pytest.mark.usefixtures("settings")
async def test_an_answer_that_cannot_be_scrubbed_is_not_recorded(
    ps7: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It fails closed, and says so."""
    ps7.answer("C1", body={"payload": {"u_ag": "0341"}})
    monkeypatch.setattr("actions.ps7.cli.scrub.MadeUp.text", lambda _self, real: real[:0])
    assert await run("C1", "--output", tmp_path / "none.json") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "This answer cannot be recorded: with made-up data in it, it would be read in another way. "
        "Nothing was written.\n"
    )
    assert files_in(tmp_path) == []
