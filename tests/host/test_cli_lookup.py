"""`rasa-ps7 lookup` against the simulator: what a person, a script and the exit code are told."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from typing import Any

import pytest

from actions.ps7.cli.command import main
from actions.ps7.cli.one_lookup import Asked, look_up
from actions.ps7.cli.version import VERSION
from actions.ps7.digests import KeyedDigest
from actions.ps7.testing import FAULTS, PERSONAS, Simulator
from tests.support.command import Cli, Terminal
from tests.support.processes import free_port

# The simulator lives in the session's event loop.
pytestmark = pytest.mark.asyncio(loop_scope="session")

EXIT_CODES = {"ok": 0, "invalid": 10, "rejected": 11, "denied": 12, "unavailable": 13}


def steady(text: str) -> str:
    """Replace what differs from run to run."""
    text = re.sub(r"\d+ ms", "N ms", text)
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", "LATER", text)


def digest_of(settings: dict[str, str], context_id: str) -> str:
    [key] = json.loads(settings["PS7_SEAL_KEYS"])
    return KeyedDigest(key, "context id").short(context_id)


SHOWN = """\
outcome       ok
reason        ok
status        200
attempts      1
took          N ms
valid until   LATER
answer        113 bytes
in the log    context=DIGEST
undocumented  the value of u_id

Slots
  cpf                     -
  cpf_masked              -
  agencia                 -
  account                 -
  segment                 -
  ivr_option              -
  phone_number            -
  id_document             -
  identification          -
  security_device         -
  token_status            -
  ps7_expires_at          LATER
  ps7_key                 -
  ps7_decoded_context_id  -

As PS7 sent it (rasa-ps7 0.1.0)
  payload.u_id                  *********25
  payload.(99999999999).u_ag.0  ****
  payload.(99999999999).u_ag.1  -
  payload.(99999999999).u_ag.2  True
  payload.(99999999999).u_ag.3  *
  payload.Ana                   9.9
  payload.u_dsok                s
"""


async def test_a_person_sees_a_masked_customer(
    ps7: Simulator, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """Every line of it, and nothing beside it. Slots have the bot's names.

    What PS7's document does not name is shown by its shape, a name with many digits too; any value
    may stand under a name that is documented for something else.
    """
    of_no_name = {"52998224725": {"u_ag": ["0341", None, True, 7]}, "Ana": 1.5}
    ps7.answer("C1", body={"payload": {"u_id": "52998224725", **of_no_name, "u_dsok": "s"}})
    monkeypatch.setenv("PS7_SLOT_NAMES", '{"agency": "agencia"}')
    ended = await asyncio.to_thread(cli, "lookup C1")
    expected = SHOWN.replace("DIGEST", digest_of(settings, "C1"))
    assert (ended.code, steady(ended.out), ended.err) == (0, expected, "")


async def said(cli: Cli, line: str) -> dict[str, Any]:
    """Run the command for a machine; return what it says, the changing parts checked."""
    code, out, err = await asyncio.to_thread(cli, f"lookup {line} --json")
    answer: dict[str, Any] = json.loads(out)
    assert (code, err) == (EXIT_CODES[answer["outcome"]], "")
    assert 0 <= answer.pop("milliseconds") < 10_000
    return answer


@pytest.mark.usefixtures("settings")
async def test_a_customer_is_shown_as_a_bot_would_hold_it(cli: Cli) -> None:
    """If that is asked for; else masked. A machine gets the names that never change."""
    who = PERSONAS["ana"]
    shown, masked = (await said(cli, "ana --show"))["slots"], await said(cli, "ana")
    expected = {slot: value for slot, value in who.slots.items() if slot != "ps7_status"}
    assert {**expected, "ps7_payload": who.payload}.items() <= shown.items()
    assert masked["slots"]["cpf"] == "***.982.247-**"
    personal = {who.slots[slot] for slot in ("account", "phone_number", "ps7_key")}
    personal |= {value for value in who.payload.values() if len(str(value)) > 7}
    assert not [value for value in personal if str(value) in json.dumps(masked)]


async def test_no_secret_of_ours_is_shown_whoever_repeats_it(
    ps7: Simulator, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """As an error of PS7's may, in a value, a name or a list; also with what it has in common."""
    password = settings["PS7_PASSWORD"]
    monkeypatch.setenv("PS7_APP_KEY", f"{password}-key")
    key = json.loads(settings["PS7_SEAL_KEYS"])[0]
    echo = {"error": f"<{password}-key, {password}>", f"x{key}": [key, None, 7]}
    sent = json.dumps(echo)
    in_latin_1 = sent.encode().replace(b"<", b"\xab")
    for body, first in ((sent.encode("utf-16"), "<"), (in_latin_1, "\ufffd")):
        ps7.answer("C1", status=401, body=body)
        shown = (await said(cli, "C1 --show"))["answer"]
        named = {"error": f"{first}(PS7_APP_KEY), (PS7_PASSWORD)>"}
        assert shown == {**named, "x(PS7_SEAL_KEYS)": ["(PS7_SEAL_KEYS)", None, 7]}


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    ("body", "size"), [(b"", "0 bytes"), (b"[" * 50_000, "no JSON, 50000 bytes")]
)
async def test_an_answer_without_json_is_said(
    ps7: Simulator, cli: Cli, body: bytes, size: str
) -> None:
    """Nothing, or what is too deep to be read."""
    ps7.answer("C1", status=401, body=body)
    out = (await asyncio.to_thread(cli, "lookup C1")).out
    assert re.findall(r"^(?:outcome|answer) +(.+)$", out, re.MULTILINE) == ["denied", size]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(("name", "shown"), [("ana", "32mok"), ("not-found", "31mrejected")])
async def test_the_outcome_is_green_or_red_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, name: str, shown: str
) -> None:
    """By whether there is a customer."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr("sys.stdout", out := Terminal())
    assert await asyncio.to_thread(main, ["lookup", name]) == EXIT_CODES[shown[3:]]
    assert f"outcome      \x1b[{shown}\x1b[0m" in out.getvalue()


@pytest.mark.parametrize(
    "name", ["ana", "http-400", "not-found", "http-401", "unreadable", "http-503"]
)
async def test_lookup_shows_how_it_ended_and_exits_with_its_code(
    settings: dict[str, str], cli: Cli, name: str
) -> None:
    """Outcome, reason and status; the exit code tells one outcome from another."""
    fault = FAULTS.get(name)
    answer = await said(cli, name)
    slots, size, sent = answer.pop("slots"), answer.pop("bytes"), answer.pop("answer")
    assert (sent is None) == (name == "unreadable")
    assert size > len("{}")
    assert answer == {
        "version": VERSION,
        "outcome": fault.outcome if fault else "ok",
        "reason": fault.reason if fault else "ok",
        "status": fault.status if fault else 200,
        "attempts": 3 if fault and fault.retried else 1,
        "context_digest": digest_of(settings, name),
        "expires_at": slots["ps7_expires_at"],
        "undocumented": [],
    }
    assert any(slots.values()) is (fault is None)


UNREACHED = """\
outcome      unavailable
reason       connect
status       -
attempts     3
took         1235 ms
valid until  -
answer       none, or not whole
"""


@pytest.mark.usefixtures("settings")
async def test_lookup_without_an_answer_shows_no_customer(
    monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """No status, and no customer to show; without a seal key, nothing of the log either.

    A key made for one run digests as no action server does.
    """
    monkeypatch.setenv("PS7_BASE_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("PS7_SEAL_KEYS")

    def asked(*given: Any, **more: Any) -> Asked:  # noqa: ANN401 - as it takes
        made = look_up(*given, **more)
        return made._replace(report=replace(made.report, seconds=1.2346))

    monkeypatch.setattr("actions.ps7.cli.lookup.look_up", asked)
    assert await asyncio.to_thread(cli, "lookup ana") == (13, UNREACHED, "")


@pytest.mark.usefixtures("settings")
async def test_what_goes_along_can_be_chosen(ps7: Simulator, cli: Cli) -> None:
    """How the contextId is encoded, and what names the call in PS7's audit trail."""
    await said(cli, "ana --encoded 0 --correlation-id deploy-42 --flow-id flow.1")
    [request] = ps7.requests
    assert request.json == {"contextId": "ana", "encoded": "0"}
    assert request.headers["x-itau-correlationID"] == "deploy-42"
    assert request.headers["x-itau-flowID"] == "flow.1"


@pytest.mark.usefixtures("settings")
async def test_lookup_shows_an_error_of_the_plugins(
    monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    """An ERROR line of the log is shown; a warning is printed by the command itself."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("actions.ps7.lookup.client.decode", broken)
    code, out, err = await asyncio.to_thread(cli, "lookup ana")
    assert code == 13, err
    assert "reason       internal\n" in out
    assert re.fullmatch(r"ZeroDivisionError at test_cli_lookup\.py:\d+\n", err)
