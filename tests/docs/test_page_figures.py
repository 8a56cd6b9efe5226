"""Each figure of a page is the code's: data/figures.txt has the words in which it is said.

A gap is filled by what `FACTS` takes from the code. A figure without a gap is not ours: a law, a
status, or what was measured or read of others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sanic.config import DEFAULT_CONFIG

from actions.ps7.cli.doctor import judge, server
from actions.ps7.cli.version import VERSION
from actions.ps7.conversation import arrival, seal, state
from actions.ps7.customer import _CPF_LENGTH, _ZERO_FILLED_LENGTH
from actions.ps7.lookup import breaker, client, http, tokens, wire
from actions.ps7.settings import MIN_SIGNING_BYTES, PS7Settings
from actions.ps7.telemetry import _LOST_AFTER
from examples.deploy import make_secrets, serve
from examples.monitoring.watched import FIRST_PORT
from tests.deploy.deployment import COMPOSE
from tests.docs.documents import document
from tests.support.pins import RASA_PINS, RUNTIME, pinned
from tests.support.processes import ROOT

EXAMPLES = ROOT / "examples"


def read(path: str, pattern: str) -> list[int]:
    """Return the one set of numbers that a pattern finds in a file."""
    (found,) = {*re.findall(pattern, (EXAMPLES / path).read_text("utf-8"))}
    return [int(each) for each in ([found] if isinstance(found, str) else found)]


def statuses(*, counts: bool, retryable: bool) -> str:
    """Return the statuses above 400 whose reasons are marked so."""
    marks = (counts, retryable)
    marked = {each for each, why in wire._STATUSES.items() if (why.counts, why.retryable) == marks}
    return ", ".join(str(each) for each in sorted(marked) if each > 400)


DEFAULT: dict[str, Any] = {name: each.default for name, each in PS7Settings.model_fields.items()}
INBOX, CLOUD, WHATSAPP = (f"channels/{name}.py" for name in ("inbox", "cloud_api", "whatsapp"))
HAND_OVER = "oss-bot/actions/hand_over/desk.py"
ACTIONS = COMPOSE["services"]["actions"]
RULES, ON_CALL, PROXY = "monitoring/rules.yml", "deploy/on-call.sh", "deploy/nginx.conf"
ENDS = r"certificate:left < (\d+) \* 86400\n +labels: {severity: "
COMPLIANCE = document("docs/compliance.pt-BR.md")
PROJECT = (ROOT / "pyproject.toml").read_text("utf-8")
TLS = PS7Settings.model_construct(**DEFAULT).tls_context()
PERIOD, TIMEOUT, FAILURES = read(
    "deploy/kubernetes/base/actions.yaml",
    r"readinessProbe:.*\n.*\n +periodSeconds: (\d+)\n +timeoutSeconds: (\d+)\n.*Threshold: (\d+)",
)
FACTS: dict[str, Any] = {
    **{name: DEFAULT[name] for name in ("breaker_failures", "max_contexts", "max_age", "deadline")},
    "attempts": DEFAULT["attempts"],
    "reset": DEFAULT["breaker_reset"],
    "returns": DEFAULT["breaker_reset"] + DEFAULT["deadline"],
    "arrival_seconds": arrival.MAX_SECONDS,
    "clocks": arrival._CLOCKS_DIFFER,
    "algorithm": arrival.ALGORITHM,
    "token_length": arrival.MAX_TOKEN_LENGTH,
    "tokens_kept": arrival._MOST_KEPT,
    "context_id": arrival.MAX_LENGTH,
    "signing_bytes": MIN_SIGNING_BYTES,
    "log_outs": seal.MAX_LOGGED_OUT,
    "seals_kept": seal._MOST_KEPT,
    "skew": seal.CLOCK_SKEW.total_seconds() / 60,
    "refused_for": state.REFUSED_FOR.total_seconds(),
    "tls": TLS.minimum_version.name.removeprefix("TLSv").replace("_", "."),
    "answer_bytes": http.MAX_ANSWER_BYTES,
    "depth": wire.MAX_DEPTH,
    "path": wire.PATH,
    "expire_in": wire.MAX_SECONDS,
    "throttled": statuses(counts=False, retryable=True),
    "server_error": statuses(counts=True, retryable=True),
    "refused": statuses(counts=True, retryable=False),
    "token_path": tokens.PATH,
    "token_lifetime": tokens.LIFETIME,
    "renewed": tokens._RENEWED_AT * 10,
    "longest_pause": breaker.LONGEST_PAUSE,
    "place": client._PATIENCE,
    "lost_after": _LOST_AFTER,
    "cpf": _CPF_LENGTH,
    "zero_filled": _ZERO_FILLED_LENGTH,
    "session": judge._RASAS_SESSION,
    "port": server.DEFAULT_PORT,
    "metrics_port": FIRST_PORT,
    "rasa": pinned(RASA_PINS)["rasa"],
    "rasa_minor": pinned(RASA_PINS)["rasa"].rpartition(".")[0],
    "sdk": pinned(RUNTIME)["rasa-sdk"].rpartition(".")[0],
    "telemetry": pinned(RUNTIME)["opentelemetry-sdk"].rpartition(".")[0],
    "python": re.findall(r'requires-python = ">=(3\.\d+),<3\.14"', PROJECT)[0],
    "version": VERSION,
    "sanic_seconds": DEFAULT_CONFIG["RESPONSE_TIMEOUT"],
    "user": ACTIONS["user"].partition(":")[0],
    "memory": ACTIONS["deploy"]["resources"]["limits"]["memory"].rstrip("M"),
    "certificate": make_secrets.VALID.days,
    "checks": serve.PATIENCE,
    "check_seconds": serve.SECONDS,
    "not_ready": PERIOD * FAILURES + TIMEOUT,
    "kept_days": int(*{*re.findall(r"(\d+) \* 86400", COMPLIANCE.blocks[0].code)}),
}
for name, path, pattern in (
    ("text", "channels/customer_text.py", r"LONGEST = (\d+_\d+)"),
    ("patience", "desk.py", r"\nPATIENCE = (\d+)\.0"),
    ("hand_over", HAND_OVER, r"\nDEADLINE = (\d+)\.0"),
    ("transcript", HAND_OVER, r"\nLINES, LONGEST = (\d+),"),
    ("addresses_hours", INBOX, r"\nADDRESSES = (\d+) \* 3600"),
    ("waiting", INBOX, r"\nWAITING = (\d+)"),
    ("message_age", CLOUD, r"\nMAX_AGE = (\d+)\.0"),
    ("meta_deadline", CLOUD, r"\nDEADLINE = (\d+)\.0"),
    ("sender_key", WHATSAPP, r"\nKEY_LENGTH, LARGEST = (\d+),"),
    ("context_deadline last_seconds", WHATSAPP, r"LAST_SECONDS = (\d+)\.0, (\d+)\.0"),
    ("relay_deadline", "backend/relay.py", r"DEADLINE = aiohttp.ClientTimeout\((\d+)\.0\)"),
    ("session_least session_most", "backend/relay.py", r"SESSION = .*\{(\d+),(\d+)\}"),
    ("code_least code_most", "channels/cloud_api.py", r"CODE = .*\{(\d+),(\d+)\}"),
    ("balancer_connects", "deploy/balancer.conf", r"proxy_connect_timeout (\d+)s;"),
    ("balancer_reads", "deploy/balancer.conf", r"proxy_read_timeout (\d+)s;"),
    ("rate", PROXY, r"rate=(\d+)r/s;"),
    ("burst", PROXY, r"burst=(\d+) "),
    ("over_rate", PROXY, r"limit_req_status (\d+);"),
    ("page_days", RULES, f"{ENDS}page"),
    ("ticket_days", RULES, f"{ENDS}ticket"),
    ("forgeries", RULES, r"ps7:forgeries:increase15m\) >= (\d+)"),
    ("forgery_minutes", RULES, r"ps7:forgeries:increase(\d+)m\) >="),
    ("worker_hours", RULES, r"workers:started\[(\d+)h\]\)"),
    ("restart_minutes", RULES, r"workers:started\[(\d+)m\]\)"),
    ("stores_minutes", RULES, r'source="held"}\[(\d+)m\]'),
    ("days_back", RULES, r" offset (\d+)d or 0"),
    ("errors", ON_CALL, r"tail -n (\d+)\n"),
    ("log_minutes", ON_CALL, r'logs actions "\$\{1:-(\d+)m\}"'),
):
    FACTS |= zip(name.split(), read(path, pattern), strict=True)
WORDS = {1: "a", 2: "two", 3: "three", 5: "five", 6: "six", 8: "eight", 9: "nine", 10: "ten"}
WORDS |= {50: "fifty"}
SPOKEN: dict[str, Callable[[Any], Any]] = {
    "w": WORDS.get,
    "an": {1: "an"}.get,
    "p": {0.5: "meia", 1: "uma", 2: "dois", 3: "três"}.get,
    "q": {0.25: "a quarter"}.get,
    "t": "{:,}".format,
    "n": lambda value: f"{value:,}".replace(",", "."),
}
"""How a figure is written that is not in digits alone, by the letter behind its `!`."""
LINES = (Path(__file__).parent / "data" / "figures.txt").read_text("utf-8")
PAGES = {part.partition("\n")[0]: part.splitlines()[1:] for part in LINES.split("# ")[1:]}


def filled(phrase: str) -> str:
    """Fill the gaps of a phrase."""

    def fact(found: re.Match[str]) -> str:
        value = eval(found[1], {}, FACTS)  # noqa: S307 - ours
        write = SPOKEN[found[2]] if found[2] else "{:g}".format if isinstance(value, float) else str
        return str(write(value))

    return re.sub(r"{([a-z][\w/*+-]*)(?:!(\w+))?}", fact, phrase)


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_of_a_page_is_that_of_the_code(page: str) -> None:
    """And, but in pages about laws and people, there is none beside these."""
    text = re.sub(r"(?ms)^ *```.*?^ *```$|^ *\d+\. |\]\([^)]*\)|\[", "", document(page).text)
    text = " ".join(text.split())
    phrases = [*map(filled, PAGES[page])]
    assert [each for each in phrases if each not in text] == []
    places = {
        at
        for phrase in phrases
        for found in re.finditer(re.escape(phrase), text)
        for at in range(*found.span())
    }
    shown = re.sub(r"`[^`]*`", lambda code: "`" * len(code[0]), text)
    numbers = re.finditer(r"(?<![\w.])\d[\d.,]*\d|(?<![\w.])\d", shown)
    others = [each.start() for each in numbers if each.start() not in places]
    assert page.endswith(".pt-BR.md") or [text[max(0, at - 20) : at + 20] for at in others] == []
