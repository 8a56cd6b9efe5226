"""The bot's own action: what is in the customer's account.

It knows nothing of PS7 but the customer whom the plugin verified. What it tells is read from the
seal and from no slot: a form, an entity or a channel can write those, and where the session began
an hour ago they say what was true then.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rasa_ps7 import Outcome, verified_context
from rasa_sdk import Action

if TYPE_CHECKING:
    from rasa_sdk import Tracker
    from rasa_sdk.executor import CollectingDispatcher
    from rasa_sdk.types import DomainDict

# The core banking system of a bank that does not exist: agency and account, and what is in it.
BALANCES: dict[tuple[str | None, str | None], Decimal] = {
    ("0341", "00123456"): Decimal("15230.75"),
    ("0910", "00900019"): Decimal("1048576.00"),
    ("2468", "10203040"): Decimal("-12.30"),
}
NOBODY = {outcome.value: f"utter_ps7_{outcome.value}" for outcome in Outcome if outcome != "ok"}
"""Each way to know nobody has an answer, which comes with the plugin's domain."""

_SWAP_SEPARATORS = str.maketrans(",.", ".,")


def in_reais(amount: Decimal) -> str:
    """Write an amount of money as Brazilians do: R$ 15.230,75."""
    sign = "-" if amount < 0 else ""
    return f"{sign}R$ {abs(amount):,.2f}".translate(_SWAP_SEPARATORS)


class ActionAnswerBalance(Action):
    """Answer the balance to an authenticated customer whose token is valid, and to nobody else."""

    def name(self) -> str:
        """Return the name that the domain and the rules use."""
        return "action_answer_balance"

    async def run(
        self,
        dispatcher: CollectingDispatcher,
        tracker: Tracker,
        domain: DomainDict,  # noqa: ARG002 - the SDK calls with three arguments
    ) -> list[dict[str, Any]]:
        """Utter the balance, or what is needed first. No slot changes."""
        customer = verified_context(tracker)
        if customer is None:
            status = str(tracker.get_slot("ps7_status"))
            dispatcher.utter_message(response=NOBODY.get(status, "utter_ps7_unavailable"))
        elif not customer.authenticated:
            dispatcher.utter_message(response="utter_ask_sign_in")
        elif not customer.token_valid:
            dispatcher.utter_message(response="utter_ps7_ask_token")
        elif (amount := BALANCES.get((customer.agency, customer.account))) is None:
            dispatcher.utter_message(response="utter_balance_unknown")
        else:
            dispatcher.utter_message(
                response="utter_balance",
                conta_verificada=customer.account,
                balance=in_reais(amount),
            )
        return []
