"""`domain.yml` and the plugin's folder: the bots use the files themselves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from actions.ps7.cli.domain import CALM, OSS, PORTUGUESE, fragment
from actions.ps7.customer import CUSTOMER_SLOTS
from tests.conversation.cast import BOTS
from tests.conversation.fixtures import _rasa_python
from tests.conversation.harness import FRAGMENT, OSS_BOT
from tests.support.processes import ROOT

READ = """
import json, sys
from rasa.shared.core.domain import Domain
from rasa.shared.exceptions import RasaException

def slots(path):
    try:
        return sorted(slot.name for slot in Domain.from_file(path).slots)
    except RasaException:
        return None

merged = Domain.load(sys.argv[1])
asks = merged.does_custom_action_explicitly_need_domain
print(json.dumps([sorted(filter(asks, merged.user_actions)), *map(slots, sys.argv[2:])]))
"""
ALWAYS = ("ps7_context", "ps7_status", "session_started_metadata")
"""The last one is Rasa's own."""


def test_the_bots_have_the_files_themselves() -> None:
    """What is trained and tested is no copy that could grow old."""
    for name in ("oss_bot", "kiosk"):
        assert (BOTS[name].folder / "domain" / "ps7" / "domain.yml").samefile(FRAGMENT)
    assert (OSS_BOT / "rasa_ps7").samefile(ROOT / "actions" / "ps7")


def _all_turned_on(text: str) -> str:
    """Return the fragment with the slots that stand in its comments."""
    before, start, rest = text.partition("  # phone_number:")
    comments, responses, after = rest.partition("responses:")
    lines = f"{start}{comments}".replace("  # And any field", "  # # And any field").splitlines()
    slots = (line.replace("# ", "", 1) if line.startswith("  #") else line for line in lines)
    return "\n".join([before, *slots, f"{responses}{after}"])


@pytest.mark.conversation
def test_rasa_reads_whatever_fragment_was_asked_for(tmp_path: Path) -> None:
    """Whole, in part and in Portuguese; one for CALM is none for Rasa Open Source.

    Of what it leaves to the bot, in comments, only the `#` has to go. Beside a bot's own file, its
    actions are those that ask for the domain.
    """
    whole, chosen = FRAGMENT.read_text(encoding="utf-8"), ["cpf", "agency", "u_display"]
    declared = [name for name, slot in CUSTOMER_SLOTS.items() if slot.declared]
    expected: dict[str, list[str] | None] = {
        fragment(OSS, None): declared,
        fragment(OSS, list(CUSTOMER_SLOTS), at_session_start=True): list(CUSTOMER_SLOTS),
        _all_turned_on(whole): [*CUSTOMER_SLOTS, "u_display"],
        fragment(OSS, chosen, names=PORTUGUESE): ["agencia", "cpf", "u_display"],
        fragment(CALM, None): None,
    }
    (tmp_path / "bot").mkdir()
    own = "actions: [action_own, {action_other: {send_domain: true}}]\n"
    (tmp_path / "bot" / "bot.yml").write_text(own)
    (tmp_path / "bot" / "ps7.yml").write_text(whole, encoding="utf-8")
    files = [tmp_path / f"{number}.yml" for number in range(len(expected))]
    for file, text in zip(files, expected, strict=True):
        file.write_text(text, encoding="utf-8")
    command = (str(_rasa_python()), "-W", "ignore", "-c", READ, str(tmp_path / "bot"))
    sent, *slots = json.loads(subprocess.check_output([*command, *map(str, files)]))
    ours = ("action_ps7_context", "action_ps7_forget", "action_ps7_verify")
    assert sent == ["action_other", *ours]
    assert slots == [each and sorted([*each, *ALWAYS]) for each in expected.values()]
