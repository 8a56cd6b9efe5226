"""`rasa-ps7 chat`: what is sent to a Rasa, and what is shown of what it answers.

The Rasa is a made-up one, which remembers what it was sent. `make chat` talks to a real one, in the
conversation tests.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from actions.ps7.cli.command import main
from tests.support.arriving import arrived
from tests.support.processes import free_port

KEY = "new-key-" * 4
ANA = {"ps7_status": "ok", "ps7_context": "gAAA", "cpf": "52998224725", "segment": "Varejo"}
NOTHING = dict.fromkeys(ANA) | {"balance": 5}


class Rasa(ThreadingHTTPServer):
    """Answers each message with the next of its answers; slots are those of a GET."""

    def __init__(self) -> None:
        """Listen on a free port."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: list[Any] = []
        self.slots: list[dict[str, Any]] = []
        self.heard: list[dict[str, Any]] = []
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    server: Rasa

    def do_POST(self) -> None:
        self.server.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer(self.server.answers)

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self._answer([{"slots": self.server.slots.pop(0)}] if self.server.slots else [])

    def _answer(self, answers: list[Any]) -> None:
        self.send_response(200 if answers else 404)
        self.end_headers()
        self.wfile.write(json.dumps(answers.pop(0)).encode() if answers else b"")

    def log_message(self, *_: object) -> None:
        """Write no line."""


@pytest.fixture(autouse=True)
def given(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Work in an empty folder, where nothing is set."""
    return isolated


@contextmanager
def serving() -> Iterator[Rasa]:
    with Rasa() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def rasa() -> Iterator[Rasa]:
    """Return a Rasa that runs."""
    with serving() as server:
        yield server


def typed(given: pytest.MonkeyPatch, *lines: str, terminal: bool = False) -> None:
    """Put lines on the standard input."""
    stdin = io.StringIO("".join(f"{line}\n" for line in lines))
    given.setattr(stdin, "isatty", lambda: terminal)
    given.setattr(sys, "stdin", stdin)


SHOWN = """\
you: oi
bot: Olá! [Saldo] [Limite]
bot: (image)
     ps7_status = ok
     ps7_context = (sealed)
     cpf = ***.982.247-**
     segment = Varejo
you: e agora?
bot: (nothing)
     segment = null
you: :slots
     ps7_status = ok
     ps7_context = (sealed)
     cpf = ***.982.247-**
     segment = null
you: :as two words
:as CONTEXT_ID   :slots   :quit
you: :as diego
you: tchau
bot: Até logo!
you: :quit
"""


def test_answers_and_what_changed_are_shown(
    rasa: Rasa, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A contextId goes along with the message after it was named, and only with that one."""
    typed(
        given, "oi", "", "e agora?", ":slots", ":as two words", ":as diego", "tchau", ":quit", "x"
    )
    buttons = [{"title": "Saldo", "payload": "/a"}, {"title": "Limite", "payload": "/b"}]
    first = [{"recipient_id": "s", "text": "Olá!", "buttons": buttons}, {"image": "http://i"}]
    rasa.answers = [first, [], [{"recipient_id": "s", "text": "Até logo!"}]]
    unchanged = ANA | {"segment": None}
    rasa.slots = [{**NOTHING, **ANA}, unchanged, unchanged]
    assert main(["chat", "--as", "ana", "--url", f"{rasa.url}/", "--sender", "a/b"]) == 0
    assert capsys.readouterr() == (SHOWN, "")
    assert rasa.heard == [
        {"sender": "a/b", "message": "oi", "metadata": {"contextId": "ana"}},
        {"sender": "a/b", "message": "e agora?"},
        {"sender": "a/b", "message": "tchau", "metadata": {"contextId": "diego"}},
    ]
    assert rasa.asked == ["/conversations/a%2Fb/tracker?include_events=NONE"] * 3


def test_it_arrives_as_the_settings_say(rasa: Rasa, given: pytest.MonkeyPatch) -> None:
    """Under the first of the keys, and signed for this conversation where there are keys."""
    given.setenv("PS7_METADATA_KEYS", '["customData.ctx", "contextId"]')
    given.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY]))
    typed(given, "oi")
    rasa.answers, rasa.slots = [[]], [NOTHING]
    assert main(["chat", "--as", "ana", "--url", rasa.url]) == 0
    [message] = rasa.heard
    token = message["metadata"]["customData"]["ctx"]
    assert arrived(token, [KEY], message["sender"]).context_id == "ana"


def test_no_proxy_sees_what_is_said_to_this_machine(
    rasa: Rasa, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of the environment would read contextId and token. To another machine it is asked."""
    with serving() as proxy:
        given.setenv("http_proxy", proxy.url)
        typed(given, "oi")
        rasa.answers, rasa.slots = [[]], [NOTHING]
        assert main(["chat", "--as", "ana", "--url", rasa.url]) == 0
        assert (len(rasa.heard), proxy.heard, proxy.asked) == (1, [], [])
        typed(given, "oi")
        assert main(["chat", "--url", "http://rasa.example.com"]) == 1
        assert (len(rasa.heard), len(proxy.heard)) == (1, 1)
    assert "answers HTTP 404" in capsys.readouterr().err


def test_show_masks_nothing_but_the_seal(
    rasa: Rasa, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A seal says nothing to a person. Slots go by the bot's own names."""
    given.setenv("PS7_SLOT_NAMES", '{"cpf": "documento"}')
    typed(given, "oi", terminal=True)
    rasa.answers, rasa.slots = [[]], [{"ps7_context": "gAAA", "documento": ANA["cpf"], "cpf": "1"}]
    assert main(["chat", "--show", "--url", rasa.url]) == 0
    lines = ["you: bot: (nothing)", "     ps7_context = (sealed)", f"     documento = {ANA['cpf']}"]
    assert capsys.readouterr().out == "\n".join([*lines, "you: "])


def test_a_rasa_that_shows_no_tracker_still_talks(
    rasa: Rasa, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without --enable-api it answers 404; that is said once, and not asked again."""
    typed(given, "oi", "oi", ":slots")
    rasa.answers = [[{"text": "Olá!"}], [{"text": "Olá!"}]]
    assert main(["chat", "--url", rasa.url]) == 0
    out, err = capsys.readouterr()
    assert out == "you: oi\nbot: Olá!\nyou: oi\nbot: Olá!\nyou: :slots\n"
    assert err == "The slots are not shown: Rasa shows them with `rasa run --enable-api`.\n"
    assert len(rasa.asked) == 1


def test_a_rasa_that_does_not_take_a_message_is_named(
    rasa: Rasa, given: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what to look at."""
    typed(given, "oi")
    assert main(["chat", "--url", rasa.url]) == 1
    said = f"Rasa at {rasa.url} answers HTTP 404: it has no REST channel"
    assert capsys.readouterr().err.startswith(said)
    rasa.answers = [[]]
    closed = f"http://127.0.0.1:{free_port()}"
    for url in (closed, "localhost:5005"):
        typed(given, "oi")
        assert main(["chat", "--url", url]) == 1
        assert capsys.readouterr().err.startswith(f"Rasa cannot be reached at {url} (URLError): ")
