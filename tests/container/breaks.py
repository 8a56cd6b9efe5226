"""Breaks each store and server of the Compose try under load: who is told, and what users notice.

So that it ends the same day, Prometheus reads the alerts' rules 15 times faster than they are, on a
day of made-up history. Rasa, the plugin and the stores take the time that they take.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote
from urllib.request import urlopen

from actions.ps7.testing import PERSONAS
from examples.monitoring.watched import faster
from tests.container.engine import part
from tests.container.talk import ACCOUNTS, ANSWERED, LATE, WRONG, Summary, Talk
from tests.deploy.runbook import prepared
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from actions.ps7.testing import Simulator
    from tests.container.stack import Stack

FASTER = 15
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
USUAL = {
    "ps7:turns:held10m": 6,
    "ps7:turns:increase15m": 150,
    "ps7:turns:increase5m": 50,
    "ps7:workers:up": 2,
}
"""What Prometheus remembers of a day: nobody noticed anything."""
RECOVERED = 8.0
"""Seconds in which each turn is answered."""
SLOTS = ("cpf", "agency", "account")
THEIRS = "|".join(str(PERSONAS[each].slots[slot]) for each in ACCOUNTS for slot in SLOTS)
SHOWN = re.compile(rf"(?<![\w.-])({THEIRS}|(\d{{3}}\.){{2}}\d{{3}}-\d\d)(?![\w-])|eyJ[\w-]+\.[\w-]")
"""A CPF, agency or account of who talks here, or an arrival token."""
PSQL = "docker compose exec -T postgres sh -c "
PSQL += "'PGPASSWORD=$(cat /run/secrets/POSTGRES_PASSWORD) psql -U postgres'"
READS_ONLY = f"echo 'ALTER SYSTEM {{}}; SELECT pg_reload_conf()' | {PSQL}"
REDIS = "docker compose exec -T redis sh -c 'REDISCLI_AUTH=$(cat /run/secrets/REDIS_PASSWORD) "
REDIS += "redis-cli --tls --cacert /run/tls/ca.crt -p 6379 CONFIG SET maxmemory {}'"
BACK = "docker compose up --detach --no-recreate || :"
"""As the runbook has it. On a busy machine it does not wait for those that it has started."""


class Break(NamedTuple):
    """What breaks, by which command, and how it is mended. Without one, it is PS7."""

    what: str
    breaks: str
    mends: str
    stores: str
    """What the command `stores` says, if it looks there."""
    alert: str
    """The alert that fires, and its cause: a pattern. Rasa may wait for a server that is gone."""
    minutes: int
    """In which it does."""


def gone(service: str) -> tuple[str, str]:
    """Return how a service ends, and comes back."""
    return f"docker compose kill {service}", BACK


BREAKS = (
    Break(
        "PostgreSQL is read-only",
        READS_ONLY.format("SET default_transaction_read_only = on"),
        READS_ONLY.format("RESET default_transaction_read_only"),
        *("DB postgres cannot execute INSERT in a read-only", "PS7NotServing stores", 15),
    ),
    Break(
        "Redis is full",
        *(
            REDIS.format(1),
            REDIS.format(0),
            "REDIS redis .*maxmemory",
            "PS7NotServing no_turns",
            25,
        ),
    ),
    Break(
        "PostgreSQL's disk is full",
        "dd if=/dev/zero of=conversations/filled bs=1M 2>/dev/null || :",
        "rm conversations/filled",
        *("DB postgres .*No space left", "PS7NotServing stores", 15),
    ),
    Break(
        "Both action servers are gone",
        *(*gone("actions"), "ACTIONS https://balancer:5055/webhook .*50[24]"),
        *("PS7NotServing absent", 5),
    ),
    Break(
        "PostgreSQL is gone",
        *(
            *gone("postgres"),
            "DB postgres (could not|connection)",
            "PS7NotServing (stores|no_turns)",
            25,
        ),
    ),
    Break("PS7 is gone", "", "", "", "PS7Unavailable", 5),
    Break(
        "Redis is gone",
        *(*gone("redis"), "REDIS redis .*(rror|imeout)", "PS7NotServing no_turns", 25),
    ),
)


async def all_of_them(stack: Stack, talk: Talk, ps7: Simulator, began: float) -> None:
    """Break one after the other, and mend it."""
    await asyncio.to_thread(hurry, stack)
    users = [asyncio.create_task(user) for user in talk.all()]
    await asyncio.sleep(SECONDS["m"] * 15 / FASTER)
    for each in BREAKS:
        await one(each, stack, talk, ps7, began)
    for user in users:
        user.cancel()
    await asyncio.gather(*users, return_exceptions=True)
    for service in ("rasa", "postgres", "actions"):
        lines = stack.docker("compose", "logs", "--no-log-prefix", service).splitlines()
        assert [each for each in lines if SHOWN.search(each)] == [], f"the log of {service}"
        part(f"{len(lines)} lines in the log of {service}: no CPF, agency, account or token", began)


async def one(it: Break, stack: Stack, talk: Talk, ps7: Simulator, began: float) -> None:
    """Break something until its alert fires, mend it, and say what came of it."""
    last = time.monotonic() + it.minutes * SECONDS["m"] / FASTER
    while re.search(it.alert, firing()):
        assert time.monotonic() < last, f"{it.alert} goes on, and nothing is broken"
        await asyncio.sleep(1)
    before, broken = len(talk.turns), time.monotonic()
    await (asyncio.to_thread(stack.shell, it.breaks) if it.breaks else ps7.stop())
    alert, stores = await watched(it, stack, broken)
    mended = time.monotonic()
    await (asyncio.to_thread(stack.shell, it.mends) if it.mends else ps7.start())
    while (bad := lost_last(talk, mended)) + RECOVERED > time.monotonic():
        assert time.monotonic() < mended + 120, "it does not recover"
        await asyncio.sleep(1)
    summary = Summary.of(talk.turns[before:], LATE)
    told = alert or 0
    lost = Counter(turn.sender[:3] for turn in talk.turns[before:] if turn.said != ANSWERED)
    part(
        f"{it.what}: `stores` after {stores or 0:.0f} s; {it.alert} after {told:.0f} s, or "
        f"{told * FASTER / 60:.0f} min; of {summary.told.total()} turns {summary.told[WRONG]} "
        f"wrong; lost: {lost['kio']} with the contextId in every message, {lost['app']} with it "
        f"in the first; recovered within {bad - mended:.0f} s; {summary}",
        began,
    )
    assert not summary.told[WRONG], f"another customer's balance was shown: {summary}"
    assert alert, f"{it.alert} did not fire within {it.minutes} minutes"
    assert stores or not it.stores, "`stores` did not say so"


def lost_last(talk: Talk, mended: float) -> float:
    """Return when the last turn ended that was lost; at first, it may be one of now."""
    return max([mended, *(turn.ended for turn in talk.turns if turn.said != ANSWERED)])


async def watched(it: Break, stack: Stack, broken: float) -> tuple[float | None, float | None]:
    """Look at the alerts, and at `stores`, until both have said so, or as long as they may take.

    Return after how many seconds each of them did.
    """
    last = broken + it.minutes * SECONDS["m"] / FASTER

    async def told(look: Callable[[], str], expected: str) -> float | None:
        while time.monotonic() < last:
            if re.search(expected, await asyncio.to_thread(look)):
                return time.monotonic() - broken
            await asyncio.sleep(0.5)
        return None

    def stores() -> str:
        return stack.shell(f"{prepared('compose')}\nstores") if it.stores else ""

    return await asyncio.gather(told(firing, it.alert), told(stores, it.stores))


def firing() -> str:
    """Return the alerts that fire, one a line, each with its cause."""
    found = [each["labels"] for each in asked("alerts")["alerts"] if each["state"] == "firing"]
    return "\n".join(f"{each['alertname']} {each.get('cause', '')}" for each in found)


def measured(query: str) -> list[Any]:
    """Ask Prometheus, as at http://localhost:9090 a person does."""
    return list(asked(f"query?query={quote(query)}")["result"])


def asked(what: str) -> dict[str, Any]:
    with urlopen(f"http://127.0.0.1:9090/api/v1/{what}", timeout=5) as answer:
        return dict(json.load(answer)["data"])


def hurry(stack: Stack) -> None:
    """Let Prometheus take less time for everything, and remember a day like any other."""
    for name in ("deploy/prometheus.yml", "monitoring/rules.yml"):
        text = (ROOT / "examples" / name).read_text()
        (stack.deploy.parent / name).write_text(faster(text, FASTER))
    now = int(time.time())
    times = range(now - 3 * SECONDS["d"] // FASTER, now, 20)
    lines = [f'{name}{{job="ps7"}} {value} {at}' for name, value in USUAL.items() for at in times]
    write = "promtool tsdb create-blocks-from openmetrics /tmp/usual /prometheus"
    script = f"docker compose exec -T prometheus sh -c 'cat >/tmp/usual && {write}'"
    stack.shell(script, "\n".join([*lines, "# EOF", ""]))
    stack.shell("docker compose restart prometheus")
