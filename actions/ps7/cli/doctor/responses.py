"""What responses tell of a customer without an action.

Pure: a bot and the names of its slots in, findings out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...slot_table import is_personal
from .finding import Finding, caution, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...slot_names import SlotNames
    from .bot import Bot


def check(bot: Bot, names: SlotNames) -> Iterator[Finding]:
    """Find responses that quote what was said of the customer, who may be another one by now."""
    ours = names.among(bot.slots)
    quoted: dict[str, dict[str, None]] = {}
    for response, variable in bot.variables:
        default = ours.get(variable, "")
        # A masked CPF may be shown, and to its owner alone.
        if is_personal(default) or default == "cpf_masked":
            quoted.setdefault(response, {})[variable] = None
    for response, slots in quoted.items():
        yield caution(
            "response-quotes",
            f"response {response} quotes {listed(list(slots))}: where the action server is away, "
            "Rasa fills in what is left of the turn before, and an earlier customer's data are "
            "told",
            "let an action say it that reads `verified_context`, and fill in variables that are no "
            "slot names, such as {conta_verificada}",
        )
