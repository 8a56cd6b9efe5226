"""`rasa-ps7 doctor --bot`: what it says of the action server that endpoints.yml names."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actions.ps7.cli.doctor import server
from tests.support.doctor import assert_found, bot_of, written, wrong
from tests.support.pages import serving
from tests.support.processes import free_port

OURS = ("action_ps7_context", "action_ps7_verify", "action_ps7_forget")


def runs(*names: str, at: str = "") -> dict[str, Any]:
    """Return what an action server answers that has these actions."""
    return {f"{at}/health": {"status": "ok"}, f"{at}/actions": [{"name": name} for name in names]}


def at(url: str) -> dict[str, Any]:
    """Return the endpoints.yml of a bot."""
    return {"action_endpoint": {"url": url}}


OTHER = "error action-server-other: what answers at http://127.0.0.1:"
LACKS = "error action-server-plugin: the action server at http://127.0.0.1:"


@pytest.mark.parametrize(
    ("path", "pages", "expected"),
    [
        ("/webhook", runs("action_own", *OURS), "ok action-server: the action server at"),
        ("/of/webhook", runs(*OURS, at="/of"), "ok action-server: the action server at"),
        ("/webhook", runs("action_own", OURS[0]), LACKS),
        ("/webhook", {}, OTHER),
        ("/webhook", {"/health": b"<html>"}, OTHER),
        ("/webhook", runs(at="/other"), OTHER),
    ],
)
def test_the_doctor_says_whether_a_server_has_the_plugin(
    monkeypatch: pytest.MonkeyPatch, path: str, pages: dict[str, Any], expected: str
) -> None:
    """Whether it has the plugin. No proxy is asked, and a variable in the address is filled in."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with serving(lambda asked, _: pages.get(asked)) as url:
        monkeypatch.setenv("ACTIONS", f"{url}{path}")
        found = list(server.check(bot_of({}, endpoints=at("${ACTIONS}"))))
    assert_found([written(each) for each in found], [expected])


def test_an_answer_that_is_too_large_is_not_read_to_its_end() -> None:
    """Whatever listens there."""
    with serving(lambda *_: b" " * (5 << 20)) as url:
        found = list(server.check(bot_of({}, endpoints=at(url))))
    assert_found(
        wrong(found), [f"error action-server-none: the action server at {url} does not an"]
    )
    assert "(TimeoutError)" in found[0].found


def test_a_slow_server_answers_and_one_without_an_end_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A second for an answer is fine; a byte now and then is none."""

    def slow(asked: str, _: object) -> object:
        time.sleep(0.5)
        return runs(*OURS).get(asked)

    def drips(*_: object) -> Iterator[bytes]:
        for _tenth in range(50):
            time.sleep(0.1)
            yield b" "
        yield b"{}"

    with serving(slow) as url:
        assert wrong(list(server.check(bot_of({}, endpoints=at(url))))) == []
    monkeypatch.setattr(server, "_SECONDS", 0.5)
    with serving(drips) as url:
        (found,) = server.check(bot_of({}, endpoints=at(url)))
    assert "(TimeoutError)" in found.found


NONE = "action-server-none: the action server at"
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
    (found,) = server.check(bot_of({}, endpoints=at(url.replace("PORT", str(free_port())))))
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
    monkeypatch.setattr(sys, "prefix", str(Path.cwd()))  # a link may lead there
    monkeypatch.setattr(sys, "executable", f"{sys.prefix}/bin/python")
    for url, end in (
        ("http://actions:5056/webhook", " --port 5056"),
        ("http://localhost:5055/webhook", ""),
        ("", ""),
    ):
        started = server.command({"url": url}, Path("actions"))
        assert started == f"bin/python -m rasa_sdk --actions actions{end}"
    elsewhere = server.command({}, Path("../services/own.py"))
    python = f"{sys.prefix}/bin/python"
    assert elsewhere == f"cd ../services && {python} -m rasa_sdk --actions own"
