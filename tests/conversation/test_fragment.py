"""`domain.yml` and the plugin's folder: the bots use the files themselves."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from actions.ps7.cli.domain import CALM, OSS, PORTUGUESE, fragment
from actions.ps7.slots import CUSTOMER_SLOTS
from tests.conversation.cast import BOTS
from tests.conversation.fixtures import _rasa_python
from tests.conversation.harness import FRAGMENT, OSS_BOT
from tests.support.processes import ROOT

SENT = """
import json, sys
from rasa.shared.core.domain import Domain

domain = Domain.load(sys.argv[1])
ours = [name for name in domain.user_actions if name.startswith("action_ps7")]
print(json.dumps({name: domain.does_custom_action_explicitly_need_domain(name) for name in ours}))
"""

READ = """
import json, sys
from rasa.shared.core.domain import Domain
from rasa.shared.exceptions import RasaException

def slots(path):
    try:
        return sorted(slot.name for slot in Domain.from_file(path).slots)
    except RasaException:
        return None

print(json.dumps([slots(path) for path in sys.argv[1:]]))
"""


async def said_by_rasa(program: str, *arguments: Path) -> object:
    """Run a program that imports Rasa; return the JSON that it prints."""
    process = await asyncio.create_subprocess_exec(
        *map(str, (_rasa_python(), "-W", "ignore", "-c", program, *arguments)),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return json.loads(out)


def test_the_bots_have_the_files_themselves() -> None:
    """What is trained and tested is no copy that could grow old."""
    for name in ("oss_bot", "rule_bot", "kiosk"):
        assert (BOTS[name].folder / "domain" / "ps7" / "domain.yml").samefile(FRAGMENT)
    assert (OSS_BOT / "actions" / "ps7").samefile(ROOT / "actions" / "ps7")


def _all_turned_on(text: str) -> str:
    """Return the fragment with the slots that stand in its comments."""
    before, start, rest = text.partition("  # phone_number:")
    comments, responses, after = rest.partition("responses:")
    lines = f"{start}{comments}".replace("  # And any field", "  # # And any field").splitlines()
    slots = (line.replace("# ", "", 1) if line.startswith("  #") else line for line in lines)
    return "\n".join([before, *slots, f"{responses}{after}"])


@pytest.mark.conversation
async def test_rasa_reads_whatever_fragment_was_asked_for(tmp_path: Path) -> None:
    """Whole, in part and in Portuguese; one for CALM is none for Rasa Open Source.

    Of what it leaves to the bot, in comments, only the `#` has to go.
    """
    chosen = ["cpf", "agency", "u_display", "ps7_payload"]
    expected: dict[str, list[str] | None] = {
        fragment(OSS, None): [*DEFAULT, "account", "agency", "segment"],
        fragment(OSS, list(CUSTOMER_SLOTS), at_session_start=True): list(CUSTOMER_SLOTS),
        _all_turned_on(FRAGMENT.read_text(encoding="utf-8")): [*CUSTOMER_SLOTS, "u_display"],
        fragment(OSS, chosen, names=PORTUGUESE): ["agencia", "cpf", "ps7_payload", "u_display"],
        fragment(OSS, [], names=PORTUGUESE): [],
        fragment(CALM, None): None,
    }
    files = [tmp_path / f"{number}.yml" for number in range(len(expected))]
    for file, text in zip(files, expected, strict=True):
        file.write_text(text, encoding="utf-8")

    assert await said_by_rasa(READ, *files) == [
        None if slots is None else sorted([*slots, *ALWAYS]) for slots in expected.values()
    ]


@pytest.mark.conversation
async def test_rasa_merges_the_actions_that_ask_for_the_domain(tmp_path: Path) -> None:
    """From a file of its own, beside the bot's."""
    (tmp_path / "bot.yml").write_text(
        'version: "3.1"\nactions: [action_own, {action_other: {send_domain: true}}]\n'
    )
    (tmp_path / "ps7.yml").write_text(FRAGMENT.read_text(encoding="utf-8"), encoding="utf-8")

    ours = ("action_ps7_context", "action_ps7_verify", "action_ps7_forget")
    assert await said_by_rasa(SENT, tmp_path) == dict.fromkeys(ours, True)


ALWAYS = ("ps7_context", "ps7_status", "session_started_metadata")
"""The last one is Rasa's own."""
DEFAULT = (
    *("cpf", "cpf_masked", "ivr_option", "identification", "security_device", "token_status"),
    "ps7_expires_at",
)
