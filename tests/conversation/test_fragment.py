"""`domain.yml` and the plugin's folder: the bots use the files themselves. Needs no Rasa."""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from tests.conversation.cast import BOTS
from tests.conversation.harness import FRAGMENT, OSS_BOT
from tests.support.processes import ROOT


@pytest.mark.parametrize("name", ["oss_bot", "rule_bot", "kiosk"])
def test_a_bot_merges_the_fragment_itself(name: str) -> None:
    """What is trained and tested is the file at the root, and no copy that could grow old."""
    assert (BOTS[name].folder / "domain" / "ps7" / "domain.yml").samefile(FRAGMENT)


def test_the_example_bot_loads_the_plugin_itself() -> None:
    """It lies in the bot's own `actions` folder, where a bank would put it."""
    assert (OSS_BOT / "actions" / "ps7").samefile(ROOT / "actions" / "ps7")


def test_what_the_fragment_leaves_to_the_bot_can_be_turned_on() -> None:
    """The slots in the comments are written as the others are: only the `#` has to go."""
    text = FRAGMENT.read_text()
    start = text.index("  # phone_number:")
    lines = text[start : text.index("responses:")].splitlines()
    turned_on = "\n".join(line.replace("# ", "", 1) for line in lines if line.startswith("  #"))
    slots = YAML(typ="safe").load(turned_on.replace("And any field", "# And any field"))

    assert {name: slot.pop("type") for name, slot in slots.items()} == {
        "phone_number": "text",
        "id_document": "text",
        "ps7_key": "text",
        "ps7_decoded_context_id": "text",
        "ps7_payload": "any",
        "u_display": "text",
    }
    for slot in slots.values():
        assert slot == {"influence_conversation": False, "mappings": [{"type": "custom"}]}
