"""Made-up customers, as many as are asked for: what PS7 says of each, and what a bot must know.

No two have a contextId, a CPF or an account in common, so that nobody can be taken for another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_SEGMENTS = ("Private", "Personnalité", "Uniclass", "Empresas", "Varejo")
_AGENCIES = 10_000


@dataclass(frozen=True)
class Customer:
    """A customer by their number."""

    number: int

    @property
    def context_id(self) -> str:
        """What the channel sends."""
        return f"scale-{self.number}"

    @property
    def slots(self) -> dict[str, str]:
        """What the bot must know of them."""
        return {
            "ps7_status": "ok",
            "cpf": f"{self.number:011}",
            "agency": f"{self.number % _AGENCIES:04}",
            "account": f"{self.number:08}",
            "segment": _SEGMENTS[self.number % len(_SEGMENTS)],
            "identification": "authenticated",
            "token_status": "valid",
        }

    @property
    def answer(self) -> dict[str, Any]:
        """What PS7 answers."""
        slots = self.slots
        payload = {
            "u_cpf": slots["cpf"],
            "u_ag": slots["agency"],
            "u_cc": slots["account"],
            "u_seg": slots["segment"],
            "u_id": "AUT",
            "u_dseg": "Token",
            "u_dsok": "S",
        }
        return {"code": "0", "message": "success", "expireIn": "3600", "payload": payload}
