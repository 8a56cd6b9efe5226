"""`rasa-ps7 chat`: what is sent to a Rasa, and what is shown of what it answers.

The Rasa is a made-up one, which remembers what it was sent. `make chat` talks to a real one, in the
conversation tests.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest

from actions.ps7.cli import web
from actions.ps7.cli.command import parser
from tests.support.arriving import arrived
from tests.support.command import Cli, Ended, Terminal
from tests.support.pages import serving
from tests.support.processes import free_port

KEY, OLDER = "new-key-" * 4, "old-key-" * 4
ANA = {"ps7_status": "ok", "ps7_context": "gAAA", "cpf": "52998224725", "segment": "Varejo"}
TYPED = {"identification": "529.982.247-25", "segment": "for ctx-of-ana"}
"""What a form wrote into slots that are open by their names."""
NOTHING = dict.fromkeys(ANA) | {"balance": 5}


Chat = Callable[[str, str], Ended]


@dataclass
class Rasa:
    """Answers each message with the next of its answers; slots are those of a GET."""

    url: str = ""
    answers: list[Any] = field(default_factory=list)
    slots: list[dict[str, Any]] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    takes: tuple[float, float] = (0, 0)
    """Seconds for a message, and for the slots."""
    now: float = 0
    token: str = ""
    refuses: int = 401

    def page(self, path: str, message: Any) -> object:  # noqa: ANN401 - JSON
        """Return what a Rasa answers."""
        self.now += self.takes[message is None]
        if message is not None:
            self.heard.append(message)
            return self.answers.pop(0) if self.answers else None
        self.asked.append(path)
        if self.token and f"token={quote(self.token, safe='')}" not in path:
            return self.refuses
        return {"slots": self.slots.pop(0)} if self.slots else None


@pytest.fixture
def rasa() -> Iterator[Rasa]:
    """Return a Rasa that runs."""
    rasa = Rasa()
    with serving(rasa.page) as rasa.url:
        yield rasa


@pytest.fixture
def chat(cli: Cli, isolated: pytest.MonkeyPatch) -> Chat:
    """What runs the command with these options, and types this."""

    def typed(text: str, options: str) -> Ended:
        isolated.setattr("sys.stdin", io.StringIO(text))
        return cli(f"chat {options}")

    return typed


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
     segment = **************
     identification = ************25
you: :quit
"""


def test_answers_and_what_changed_are_shown(rasa: Rasa, chat: Chat) -> None:
    """A contextId goes along with the message after it was named, and only with that one.

    A CPF and a contextId that arrived are masked in whichever slot they are.
    """
    said = "oi\n\ne agora?\n:slots\n:as two words\n:as diego\ntchau\n:quit\nx"
    buttons = [{"title": "Saldo", "payload": "/a"}, {"title": "Limite", "payload": "/b"}]
    first = [{"recipient_id": "s", "text": "Olá!", "buttons": buttons}, {"image": "http://i"}]
    rasa.answers = [first, [], [{"recipient_id": "s", "text": "Até logo!"}]]
    unchanged = ANA | {"segment": None}
    rasa.slots = [{**NOTHING, **ANA}, unchanged, unchanged | TYPED]
    assert chat(said, f"--as ctx-of-ana --url {rasa.url}/ --sender a/b") == (0, SHOWN, "")
    assert rasa.heard == [
        {"sender": "a/b", "message": "oi", "metadata": {"contextId": "ctx-of-ana"}},
        {"sender": "a/b", "message": "e agora?"},
        {"sender": "a/b", "message": "tchau", "metadata": {"contextId": "diego"}},
    ]
    assert rasa.asked == ["/conversations/a%2Fb/tracker?include_events=NONE"] * 3


def test_it_talks_as_the_settings_say(rasa: Rasa, cli: Cli, isolated: pytest.MonkeyPatch) -> None:
    """A contextId arrives under the first key, and signed for this conversation if keys are set.

    Slots go by the bot's own names. `--show` masks nothing but the seal, which says nothing.
    """
    isolated.setenv("PS7_METADATA_KEYS", '["customData.ctx", "contextId"]')
    isolated.setenv("PS7_ARRIVAL_KEYS", json.dumps([KEY, OLDER]))
    isolated.setenv("PS7_SLOT_NAMES", '{"cpf": "documento"}')
    isolated.setattr("sys.stdin", Terminal("oi\n:slots\n"))
    rasa.answers, rasa.slots = [[]], [{"ps7_context": "gAAA", "documento": ANA["cpf"], "cpf": "1"}]
    out = cli(f"chat --as ana --show --url {rasa.url}").out
    slots = f"     ps7_context = (sealed)\n     documento = {ANA['cpf']}\n"
    assert out == f"you: bot: (nothing)\n{slots}you: {slots}you: "
    [message] = rasa.heard
    token = message["metadata"]["customData"]["ctx"]
    assert arrived(token, [KEY], message["sender"]).context_id == "ana"


def test_a_rasa_that_shows_no_tracker_still_talks(rasa: Rasa, chat: Chat) -> None:
    """Without --enable-api it answers 404; that is said once, and not asked again."""
    rasa.answers = [[{"text": "Olá!"}]] * 2
    out = "you: oi\nbot: Olá!\nyou: oi\nbot: Olá!\nyou: :slots\n"
    err = "The slots are not shown: Rasa shows them with `rasa run --enable-api`.\n"
    assert chat("oi\noi\n:slots", f"--url {rasa.url}") == (0, out, err)
    assert len(rasa.asked) == 1


def test_a_rasa_with_a_token_shows_the_slots_to_whoever_has_it(rasa: Rasa, chat: Chat) -> None:
    """Without it the way is said: what Rasa has on already is not. The first line may bring it."""
    rasa.token = "a&b/ç"
    given = "a&b/ç\noi", "--auth-token -", True
    for typed, option, shown in (("oi", "", False), ("oi", "--auth-token x", False), given):
        rasa.answers, rasa.slots = [[{"text": "Olá!"}]], [{"segment": "Varejo"}]
        rasa.refuses = 403 if option else 401
        code, out, err = chat(typed, f"--url {rasa.url} {option}")
        assert code == 0, out
        assert ("     segment = Varejo\n" in out) is shown
        wants = "The slots are not shown: Rasa wants the token that it was started with: --auth-tok"
        assert err == ("" if shown else f"{wants}en.\n")
    assert rasa.asked[-1].endswith("/tracker?include_events=NONE&token=a%26b%2F%C3%A7")


NO_ANSWERS: tuple[object, ...] = ({"a": 1}, ["text", {}], "text", 5.5, [[]])
NO_SLOTS: tuple[object, ...] = ([], 7.5, "slots", {"slots": 7})


@pytest.mark.parametrize(
    ("answers", "slots", "expected"),
    [
        *((odd, {}, (1, "is no Rasa: --url")) for odd in NO_ANSWERS),
        ([{}], {"slots": {}}, (0, "bot: ()")),
        ([{"text": None, "buttons": 7}], {"slots": {}}, (0, "bot: None")),
        ([{"text": "a", "buttons": ["b", {"payload": "c"}]}], {}, (0, "bot: a [None] [None]")),
        *(([], odd, (0, "The slots are not shown")) for odd in NO_SLOTS),
    ],
)
def test_what_is_no_rasa_is_no_traceback(
    chat: Chat, answers: object, slots: object, expected: tuple[int, str]
) -> None:
    """Whatever answers there, in whatever form."""
    with serving(lambda _, message: slots if message is None else answers) as url:
        code, out, err = chat("oi", f"--url {url}")
    assert code == expected[0], err
    assert expected[1] in out + err


def test_a_rasa_that_does_not_take_a_message_is_named(rasa: Rasa, chat: Chat) -> None:
    """And what to look at."""
    assert parser().parse_args(["chat"]).url == "http://127.0.0.1:5005"
    rasa.answers = [503]
    for url, said in (
        (rasa.url, f"Rasa at {rasa.url} answers HTTP 503\n"),
        (rasa.url, f"Rasa at {rasa.url} answers HTTP 404: it has no REST channel"),
        (closed := f"http://127.0.0.1:{free_port()}", f"Rasa cannot be reached at {closed} (URLE"),
        ("localhost:5005", "Rasa cannot be reached at localhost:5005 (URLError): "),
    ):
        code, _, err = chat("oi", f"--url {url}")
        assert (code, err[: len(said)]) == (1, said)


def test_a_rasa_may_take_a_minute(rasa: Rasa, chat: Chat, isolated: pytest.MonkeyPatch) -> None:
    """For an answer, and for the slots; no more."""
    isolated.setattr(web, "time", SimpleNamespace(monotonic=lambda: rasa.now))
    for takes, code, said in (
        ((60, 60), 0, ""),
        ((60.1, 0), 1, "(TimeoutError)"),
        ((0, 60.1), 0, "The slots are not shown"),
    ):
        rasa.takes, rasa.answers, rasa.slots = takes, [[]], [ANA]
        ended = chat("oi", f"--url {rasa.url}")
        assert ended.code == code, ended.err
        assert said in ended.err
        assert ("cpf = " in ended.out) == (not said)
    assert len({message["sender"] for message in rasa.heard}) == 3, "each is a new conversation"
