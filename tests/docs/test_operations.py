"""What docs/operations.md says beside its tables: the switch, and the requests of a day."""

from __future__ import annotations

import json
import re

from actions.ps7.lookup import tokens
from tests.docs.test_tables import OPERATIONS
from tests.support.talk import SEAL_KEY, Talk, a_bot


def test_the_lookup_is_switched_off_by_one_setting() -> None:
    """Newcomers are not asked about; who is known stays, and is renewed; and all the way back."""
    (off,) = re.findall(r"`PS7_METADATA_KEYS=(\[.*?\])`", OPERATIONS.text)
    on, switched_off = (
        a_bot(seal_keys=[SEAL_KEY], metadata_keys=keys) for keys in (["contextId"], json.loads(off))
    )
    known, newcomer = Talk(bot=on), Talk(bot=switched_off)
    known.arrives("ana")
    known.bot = switched_off
    for talk in (known.brings("ana"), newcomer.brings("diego")):
        talk.look_up()
    assert (known.says_now, newcomer.says_now) == (("ok", "ana"), ("missing", None))
    assert (known.asked, newcomer.asked) == (["ana"], [])
    known.later(hours=1)
    known.arrives("ana")
    newcomer.bot = on
    newcomer.arrives()
    assert (known.says_now, newcomer.says_now) == (("ok", "ana"), ("ok", "diego"))
    assert (known.asked, newcomer.asked) == (["ana", "ana"], ["diego"])


def test_the_requests_of_a_day_are_by_the_plugins_own_numbers() -> None:
    """Tokens by their life."""
    fetches = 86_400 / (tokens.LIFETIME * tokens._RENEWED_AT)
    assert f"{fetches:.0f} tokens × processes" in OPERATIONS.text
