"""`rasa-ps7 doctor --bot`: what it says of the action server that endpoints.yml names."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from actions.ps7.cli import web
from actions.ps7.cli.doctor import server
from actions.ps7.cli.findings import Finding
from tests.support.doctor import assert_found, bot_of, written, wrong
from tests.support.pages import serving
from tests.support.processes import free_port

OURS = ("action_ps7_context", "action_ps7_verify", "action_ps7_forget")


def runs(*names: str, at: str = "") -> dict[str, Any]:
    """Return what an action server answers that has these actions."""
    return {f"{at}/health": {"status": "ok"}, f"{at}/actions": [{"name": name} for name in names]}


def found_at(url: str) -> list[Finding]:
    """Return what is found of a bot whose endpoints.yml names this address."""
    return list(server.check(bot_of({}, endpoints={"action_endpoint": {"url": url}})))


OTHER = "error action-server-other: what answers at http://127.0.0.1:"
NONE = "action-server-none: the action server at"
LACKS = "error action-server-plugin: the action server at http://127.0.0.1:"


@pytest.mark.parametrize(
    ("path", "pages", "expected"),
    [
        ("/webhook", runs("action_own", *OURS), "ok action-server: the action server at"),
        ("/of//webhook", runs(*OURS, at="/of"), "ok action-server: the action server at"),
        ("/webhook", runs("action_own", OURS[0]), LACKS),
        ("/webhook", {}, OTHER),
        *(("/webhook", {"/health": each}, OTHER) for each in (b"<html>", b"\xff")),
        ("/webhook", runs(at="/other"), OTHER),
        ("/webhook", {"/health": b" " * (5 << 20)}, f"error {NONE}"),  # not read to its end
    ],
)
def test_the_doctor_says_whether_a_server_has_the_plugin(
    monkeypatch: pytest.MonkeyPatch, path: str, pages: dict[str, Any], expected: str
) -> None:
    """Whether it has the plugin. No proxy is asked, and a variable in the address is filled in."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving(lambda asked, _: pages.get(asked)) as url:
        monkeypatch.setenv("ACTIONS", f"{url}{path}")
        found = found_at("${ACTIONS}")
    assert_found([written(each) for each in found], [expected])


def test_what_a_server_lacks_is_named() -> None:
    """The plugin's actions, and the bot's own: what a script may run, and what nothing runs."""
    domain, running = {"actions": ["action_a", "validate_f"]}, [OURS[0]]
    with serving(lambda asked, _: runs(*running).get(asked)) as url:
        at = {"action_endpoint": {"url": url}}
        some = [written(each) for each in server.check(bot_of(domain, endpoints=at))]
        running += OURS
        own = [written(each) for each in server.check(bot_of(domain, endpoints=at, data={}))]
    lacks = f"the action server at {url} runs without"
    listed, never = "which the domain lists", "which the domain lists and no rule, story or flow"
    assert some == [
        f"error action-server-plugin: {lacks} {OURS[1]} and {OURS[2]}",
        f"error action-server-actions: {lacks} action_a and validate_f, {listed}",
    ]
    assert own == [
        f"error action-server-actions: {lacks} validate_f, {listed}",
        f"warning action-server-actions: {lacks} action_a, {never} runs",
    ]


def test_what_a_server_needs_is_named_if_it_does_not_run() -> None:
    """That may be why."""
    at = {"action_endpoint": {"url": f"http://127.0.0.1:{free_port()}"}}
    found = server.check(bot_of({}, "import nowhere_at_all", endpoints=at))
    assert [each.id for each in found] == ["action-server-none", "actions-require"]


@pytest.mark.parametrize("name", ["X_HOST", "ACTION_SERVER", "bot_addr"])
def test_host_and_port_are_filled_in_by_their_names(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """In capitals or not."""
    monkeypatch.setenv(name, "h")
    monkeypatch.setenv("own_port", "7")
    url = f"http://${{{name}}}:${{own_port}}/webhook"
    assert server.address({"url": url}) == "http://h:7"


@pytest.mark.parametrize(("seconds", "found"), [(5, "action-server"), (5.1, "action-server-none")])
def test_an_answer_may_take_five_seconds(
    monkeypatch: pytest.MonkeyPatch, seconds: float, found: str
) -> None:
    """All of it, however it drips."""
    now = [0.0]
    monkeypatch.setattr(web, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def slow(asked: str, _: object) -> object:
        now[0] += seconds
        return runs(*OURS).get(asked)

    with serving(slow) as url:
        assert [each.id for each in found_at(url)] == [found]


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before it has said something."""
    monkeypatch.setattr(server, "_SECONDS", 0.1)
    over, begun = Event(), time.monotonic()

    def silent(*_: object) -> Iterator[bytes]:
        over.wait(9)
        yield b"{}"

    with serving(silent) as url:
        (found,) = found_at(url)
        over.set()
    assert "(TimeoutError)" in found.found
    assert time.monotonic() - begun < 5


NO_URL = "warning action-server-url: the url of `action_endpoint:`"
ELSEWHERE = "http://user:planted@actions..example.com:5055/webhook"


@pytest.mark.parametrize(
    ("url", "expected", "how"),
    [
        ("http://localhost:PORT/webhook", f"error {NONE} http://localhost:", "Start"),
        (ELSEWHERE, f"warning {NONE} http://actions..example.com:5055", "Run `rasa-ps7 doctor` w"),
        ("${NOWHERE}/webhook", NO_URL, "Set"),
        ("http://h:port/webhook", NO_URL, "Set"),
    ],
)
def test_the_doctor_says_how_to_reach_a_silent_server(url: str, expected: str, how: str) -> None:
    """On this machine that is a fault; another one may be reached by Rasa alone."""
    (found,) = found_at(url.replace("PORT", str(free_port())))
    assert_found(wrong([found]), [expected])
    assert found.do.startswith(how)
    assert "planted" not in found.found + found.do


def test_nothing_is_asked_where_there_is_no_server() -> None:
    """Rasa Pro may run the actions by itself."""
    in_rasa = {"action_endpoint": {"actions_module": "actions"}}
    assert list(server.check(bot_of({}))) == list(server.check(bot_of({}, endpoints=in_rasa))) == []


def test_the_start_command_fits_the_bot(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the interpreter in use, as it is named from this folder, and the port of the bot."""
    monkeypatch.chdir(sys.prefix)
    monkeypatch.setattr(sys, "executable", f"{Path.cwd()}/bin/python")
    ends = {"http://actions:5056/webhook": " --port 5056", "http://localhost:5055": "", "": ""}
    for url, end in ends.items():
        started = server.command({"url": url}, Path("actions"))
        assert started == f"bin/python -m rasa_sdk --actions actions{end}"
