"""What the attacked servers keep secret: made anew for each run, so that a log can be searched."""

from __future__ import annotations

import secrets

from cryptography.fernet import Fernet

from actions.ps7.testing import PERSONAS
from tests.security.conversation import SENDERS

SEAL_KEY, OLDER_SEAL_KEY, ROTATED_SEAL_KEY, FOREIGN_SEAL_KEY = (
    Fernet.generate_key().decode() for _ in range(4)
)
"""The newest of `signed`; that of `unsigned`, still good at `signed`; that of `rotated`; and an
attacker's."""
ARRIVAL_KEY, OLDER_ARRIVAL_KEY, RETIRED_ARRIVAL_KEY, FOREIGN_ARRIVAL_KEY = (
    secrets.token_urlsafe(32) for _ in range(4)
)
"""Two of `signed`, one that it had before, and an attacker's."""

CONTEXT_IDS = {
    who: f"ctx-{who}-{secrets.token_hex(8)}" for who in ("ana", "diego", "bruno", "refused")
}
"""By customer; PS7 answers 400 to the last one."""
CUSTOMERS = {who: PERSONAS[who] for who in CONTEXT_IDS if who in PERSONAS}
FORGED = "Forged"
"""Stands in every text that is made up."""

_PERSONAL = ("cpf", "cpf_masked", "account", "phone_number")
_OF_CUSTOMERS = {customer.slots[name] for customer in CUSTOMERS.values() for name in _PERSONAL}
SECRETS = (
    *(SEAL_KEY, OLDER_SEAL_KEY, ROTATED_SEAL_KEY, FOREIGN_SEAL_KEY),
    *(ARRIVAL_KEY, OLDER_ARRIVAL_KEY, RETIRED_ARRIVAL_KEY, FOREIGN_ARRIVAL_KEY),
    *("gAAAAA", "eyJ"),  # how seals and tokens begin
    *(*CONTEXT_IDS.values(), SENDERS, FORGED, FORGED.upper(), FORGED.lower()),
    *(value for value in _OF_CUSTOMERS if value is not None),
)
"""What no log may hold."""
