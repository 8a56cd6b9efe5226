"""What docs/operations.md says beside its tables: the switch, and the requests of a day."""

from __future__ import annotations

import json
import re

from actions.ps7.lookup import tokens
from actions.ps7.settings import PS7Settings
from tests.docs.test_tables import OPERATIONS
from tests.support.talk import HOUR, SEAL_KEY, Talk, a_bot

_DAY = 86_400


def test_the_lookup_is_switched_off_by_one_setting() -> None:
    """Newcomers are not asked about; who is known stays, and is renewed; and all the way back."""
    (off,) = re.findall(r"`PS7_METADATA_KEYS=(\[.*?\])`", OPERATIONS.text)
    on, switched_off = (
        a_bot(seal_keys=[SEAL_KEY], metadata_keys=keys) for keys in (["contextId"], json.loads(off))
    )
    known, newcomer = Talk(bot=on), Talk(bot=switched_off)
    known.meets("ana")
    known.bot = switched_off
    for talk in (known.says("ana"), newcomer.says("diego")):
        talk.run()
    assert (known.says_now, newcomer.says_now) == (("ok", "ana"), ("missing", None))
    assert (known.asked, newcomer.asked) == (["ana"], [])
    known.now += HOUR
    known.says("ana").run()
    newcomer.bot = on
    newcomer.says().run()
    assert (known.says_now, newcomer.says_now) == (("ok", "ana"), ("ok", "diego"))
    assert (known.asked, newcomer.asked) == (["ana", "ana"], ["diego"])


def test_the_requests_of_a_day_add_up() -> None:
    """In the example, and by the plugin's own numbers."""
    found = re.search(
        r"example, ([\d,]+) sessions a day, (\d+) second contextIds and (\d+) renewals are "
        r"([\d,]+) lookups\. With (\d+) % retries and two servers they make ([\d,]+) requests\. "
        r"While PS7 is away, each process sends up to (\d+) an hour for probes",
        OPERATIONS.prose,
    )
    assert found is not None
    sessions, more, renewed, lookups, percent, requests, probes = (
        int(each.replace(",", "")) for each in found.groups()
    )
    fetches = _DAY / (tokens.LIFETIME * tokens._RENEWED_AT)
    assert f"{fetches:.0f} tokens × processes" in OPERATIONS.text
    assert sessions + more + renewed == lookups
    assert lookups * (1 + percent / 100) + 2 * fetches == requests
    of = {name: field.default for name, field in PS7Settings.model_fields.items()}
    assert _DAY / 24 / of["breaker_reset"] * of["attempts"] == probes
