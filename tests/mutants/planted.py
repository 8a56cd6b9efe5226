"""Bugs of one place, planted on purpose in a copy of the plugin: a test must find each of them.

They break rules of a conversation, or of how PS7 is asked, which mutmut's small changes seldom do.
Those of conversation/ are found by the random walks of `tests/model`, the same ones each time, or
by the known traces after them; those of lookup/ by its tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from actions import ps7
from tests.model.conversation import violated
from tests.model.steps import Walk
from tests.model.subject import playing
from tests.model.traces import TRACES
from tests.model.walks import LENGTH, made_up

ROOT = Path(__file__).parents[2]
STEPS = int(os.environ.get("PS7_MODEL_STEPS", "20000"))


class Bug(NamedTuple):
    """A piece of a module that is there once, and what takes its place."""

    module: str
    stands: str
    planted: str
    room: str = "conversation"

    @property
    def file(self) -> Path:
        """Where the module is, from the root."""
        return Path(f"actions/ps7/{self.room}/{self.module}.py")


BUGS = {
    # The newest seal, by its number
    "a new seal has the number of the one before": Bug(
        "decision", "else newest.number + 1,", "else newest.number,"
    ),
    "the newest seal is the latest by its time": Bug(
        "seal", 'attrgetter("number")', 'attrgetter("sealed_at")'
    ),
    "the slot is left without a seal": Bug(
        "decision",
        "(seal is None or seal.number < newest.number)",
        "(seal is not None and seal.number < newest.number)",
    ),
    "the log-outs of older seals are not added up": Bug(
        "reading", "LogOuts.of(know)", "LogOuts.of(know[:1])"
    ),
    # A seal is of one session
    "a seal of any session is held": Bug(
        "reading", "self.in_slot is not None and self.is_current", "self.in_slot is not None"
    ),
    "the contextId of an earlier session is asked about again": Bug(
        "reading", "not newest.asked or not self.is_current", "not newest.asked"
    ),
    "the nonce of PS7SessionStart is not read": Bug(
        "reading", "return str(metadata[NONCE])", 'return str(opening.get("timestamp"))'
    ),
    # Held, and found
    "an older seal about another contextId is held": Bug(
        "reading",
        "newest if newest.fingerprint == self.in_slot.fingerprint else None",
        "self.in_slot",
    ),
    "a seal from a clock that is ahead is valid": Bug(
        "seal", "is None or self.sealed_at > now + CLOCK_SKEW:", "is None:"
    ),
    "what arrived in an earlier session is at hand": Bug(
        "reading", "self.messages, opening = [], event", "opening = event"
    ),
    "the newest seal is not asked what arrived": Bug(
        "reading", "        if found is None:", "        if found is None and not self.seals:"
    ),
    "a failure is looked up again in the same turn": Bug(
        "reading", "return self._of_this_turn(seal)  #", "return False  #"
    ),
    "only the newest seal knows what PS7 refused": Bug(
        "reading",
        "for seal in self.here:\n            if seal.fingerprint",
        "for seal in self.here[:1]:\n            if seal.fingerprint",
    ),
    "verify does not go by what arrived": Bug(
        "rules", '"another-found", (NAMED, ANOTHER)', '"another-found", (NAMED, REFUSED)'
    ),
    # Log-outs
    "a log-out logs out the contextId at hand only": Bug(
        "decision", "    for seal in reading.seals:", "    for seal in reading.seals[:0]:"
    ),
    "a log-out goes by the newest seal only": Bug(
        "decision", "    for seal in reading.seals:", "    for seal in reading.seals[:1]:"
    ),
    "a log-out goes by text and `encoded`": Bug(
        "reading", "map(fingerprint, alike)", "(found.fingerprint,)"
    ),
    "a log-out goes by the text only": Bug(
        "reading", "map(fingerprint, alike)", "[fingerprint(next(alike))]"
    ),
    "a contextId that named nobody makes a customer's log-out forgotten": Bug(
        "decision", "(customers if seal.named else others)", "others"
    ),
    "a customer who is held is asked about before the log-outs": Bug(
        "rules", "(LOGGED_OUT,), Effect.REFUSE", "(LOGGED_OUT, ANOTHER), Effect.REFUSE"
    ),
    # Signed arrival, and how many
    "the time of an arrival token is not verified": Bug(
        "reading", "if found.refused or found.may_arrive_at(at):", "if found.refused or at:"
    ),
    "a token that is over arrives behind another contextId": Bug(
        "reading", "elif other.context_id is not None:", "elif other.context_id is None:"
    ),
    "a refused arrival has the fingerprint of its contextId": Bug(
        "reading",
        "return found if arrived else refused(found.value, Reason.ARRIVAL_TIME)",
        "return found if arrived else Found(None, found.fingerprint, refused=Reason.ARRIVAL_TIME)",
    ),
    "the limit lets one contextId more through": Bug(
        "reading", "full = len(self.asked) >=", "full = len(self.asked) >"
    ),
    "a contextId that was refused for the limit may be asked about": Bug(
        "decision",
        "about.context_id if about.fingerprint in reading.asked else None",
        "about.context_id",
    ),
    # The bot's own slots, and what stays said
    "the bot's own slots stay when another customer comes": Bug(
        "decision", "reading.says_ok and same_customer(*known) and not restored", "reading.says_ok"
    ),
    "`tampered` does not stay said until the next message": Bug(
        "rules", '"still-tampered", (SAID_TAMPERED,)', '"still-tampered", (SAID_EXPIRED,)'
    ),
}
"""By what the plugin then does."""

_BUGS_OF_LOOKUP = {
    # Whether PS7 is asked
    "a refusal of our credentials is a failure as any other": (
        *("breaker", "|= refused or self._in_a_row", "|= self._in_a_row"),
    ),
    "probes go on at the same pace while PS7 refuses our credentials": (
        *("breaker", "min(2 * self._pause, LONGEST_PAUSE) if again", "self._reset if again"),
    ),
    "the pause is not renewed by a probe that fails": (
        *("breaker", "self._next_probe = mono", "self._next_probe = self._next_probe or mono"),
    ),
    "the pauses double without end": (
        *("breaker", "min(2 * self._pause, LONGEST_PAUSE)", "2 * self._pause"),
    ),
    "the pauses double while PS7 is away, too": (
        *("breaker", "self._opened_by == outcome == Outcome.DENIED", "self._opened_by == outcome"),
    ),
    "a probe opens the circuit although a customer was answered": (
        *("breaker", "(reason.counts and not self._answered)", "reason.counts"),
    ),
    "whatever ends a probe closes the circuit": (
        *("breaker", "if reason.outcome in ANSWERS and was_open:", "if was_open:"),
    ),
    "the first customer after the pause goes through": (
        *("breaker", "            self.wants_probe = True\n", "            return\n"),
    ),
    # A lookup
    "a lookup is repeated beyond its deadline": (
        *("client", "if monotonic() + pause >= started + deadline:", "if pause == math.inf:"),
    ),
    "a token that the gateway forgot denies the customer": (
        *("client", "None if is_new else await self._tokens.instead_of(token)", "None"),
    ),
    "a probe waits behind the customers": (
        *("client", 'deadline if report.kind == "lookup" else None', "deadline"),
    ),
    "the customer after a refused one is refused as well": (
        *("client", "refused = lookup.report.reason.outcome == Outcome.DENIED", "refused = False"),
    ),
    "every lookup that fails sends a probe": (
        *("client", "if probing is None or probing.done() or not", "if probing is None or"),
    ),
    # Tokens
    "a token is used until its end": ("tokens", "lifetime * _RENEWED_AT", "lifetime"),
    "a life is counted from the answer": (
        *("tokens", "Token(text, asked_at + ", "Token(text, time.monotonic() + "),
    ),
    "each lookup fetches a token of its own": (
        *("tokens", "        if task is None:\n", "        if task is None or task:\n"),
    ),
    "a lookup that is cancelled ends the fetch of all": ("tokens", "asyncio.shield(task)", "task"),
    "each refusal fetches a token": ("tokens", "None if refused.is_doubted else ", ""),
    "a token that was refused when new is kept": (
        *("tokens", "min(token.renew_at, time.monotonic() + _DOUBTED_FOR)", "token.renew_at"),
    ),
    # HTTP
    "a connection serves two customers": ("http", "force_close=True", "force_close=False"),
    "a redirect is followed": ("http", "allow_redirects=False", "allow_redirects=True"),
    "one customer's cookie goes along with the next": (
        *(
            "http",
            "cookie_jar=aiohttp.DummyCookieJar()",
            "cookie_jar=aiohttp.CookieJar(unsafe=True)",
        ),
    ),
    "the proxy of the environment is used": ("http", "trust_env=False", "trust_env=True"),
    "a place is never free again": ("http", "pool.places.release()", "pass"),
    "a body has no end": ("http", "if len(body) > MAX_ANSWER_BYTES:", "if not body:"),
    "a head has no end": ("http", "            self._transport.abort()", "            pass"),
    "aiohttp logs what arrived": ("http", "return not _asking.get()", "return True"),
    "a cancelled turn is a lost connection": ("http", "task.cancelling() > 0", "False"),
}
BUGS |= {does: Bug(*where, room="lookup") for does, where in _BUGS_OF_LOOKUP.items()}
TESTS_OF_LOOKUP = (
    *("tests/unit/test_breaker.py", "tests/unit/test_tokens.py", "tests/unit/test_client.py"),
    *("tests/unit/test_http.py", "tests/host/test_client.py", "tests/host/test_gateway.py"),
    *("tests/host/test_client_connections.py", "tests/host/test_connection_reuse.py"),
    "tests/faults/test_grid.py",
)


def plant(bug: Bug, root: Path) -> None:
    """Copy the plugin with one bug in it."""
    shutil.copytree(ROOT / "actions", root / "actions")
    file = root / bug.file
    before, *after = file.read_text("utf-8").split(bug.stands)
    assert len(after) == 1, f"{bug.module}.py has this {len(after)} times: {bug.stands}"
    file.write_text(f"{before}{bug.planted}{after[0]}", "utf-8")


def found_by(bug: Bug) -> str:
    """Return what finds a bug; nothing if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        plant(bug, Path(folder))
        if bug.room == "lookup":
            return failed_test(Path(folder))
        path = os.pathsep.join((folder, str(ROOT)))
        return subprocess.run(
            (sys.executable, "-m", "tests.mutants.planted", folder),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": path},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout


def failed_test(folder: Path) -> str:
    """Return the first test of lookup/ that fails in a folder with a copy of the plugin."""
    for name in ("pyproject.toml", "domain.yml", "tests", "examples", "requirements"):
        (folder / name).symlink_to(ROOT / name)
    command = (sys.executable, "-m", "pytest", "-xq", "-pno:cacheprovider", *TESTS_OF_LOOKUP)
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout
    found = re.search("^FAILED (.+?)( - .*)?$", said, re.MULTILINE)
    return found[1] if found else ""


def seek(folder: str) -> str:
    """Return what finds a bug in the plugin of this process, which is that of a folder."""
    assert Path(str(ps7.__file__)).is_relative_to(folder), ps7.__file__
    walks: dict[str, Walk] = {}
    for number in range(STEPS // LENGTH):
        walks[f"walks, {(number + 1) * LENGTH:,} steps"] = made_up(number)
    with playing() as subject:
        for name, walk in (walks | TRACES).items():
            if violation := violated(walk, subject):
                return f"{name}: {violation}"
    return ""


def main() -> int:
    """Print what finds each bug, and that nothing is found without one; return the exit code."""
    of_rooms = {bug.room: bug._replace(planted=bug.stands) for bug in BUGS.values()}
    sound = {f"no bug, in {room}/": bug for room, bug in of_rooms.items()}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        planted = sound | BUGS
        found = dict(zip(planted, pool.map(found_by, planted.values()), strict=True))
    for does, by in found.items():
        sys.stdout.write(f"{does}\n    {by or 'NOT FOUND'}\n")
    return 0 if all(bool(by) != (does in sound) for does, by in found.items()) else 1


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(seek(sys.argv[1]))
    else:
        sys.exit(main())
