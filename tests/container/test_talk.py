"""What the users of the Compose try notice."""

from __future__ import annotations

import pytest

from tests.container.breaks import SHOWN
from tests.container.talk import ANSWERED, NOTHING, WRONG, judged

ANAS, DIEGOS = "O saldo da conta 00123456 é de R$ 1.", "O saldo da conta 00900019 é de R$ 2."


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (ANAS, ANSWERED),
        (DIEGOS, WRONG),
        (f"{ANAS} {DIEGOS}", WRONG),
        ("", NOTHING),
        ("502", "502"),
        ("Tente de novo.", "Tente de novo."),
    ],
)
def test_another_customers_balance_is_noticed(said: str, told: str) -> None:
    """Also beside one's own."""
    assert judged(said, "ana") == told


@pytest.mark.parametrize(
    ("line", "shows"),
    [
        ('DETAIL: (\'kiosk-1\', \'slot\', \'{"name": "agency", "value": "0341"}\')', True),
        ("[parameters: {'data': '52998224725'}]", True),
        ("CPF 529.982.247-25 typed", True),
        (ANAS, True),
        ('contextId="eyJhbGciOiJIUzI1NiJ9.eyJjb250ZXh0SWQiOiJhbmEifQ.x"', True),
        ("2026-12-01 14:31:36.0341 [parameters] (CPF) body", False),
        ("correlation=523ce152-0341-8191-ab1f-db55bd11f75f context=34ee4c3a94c3", False),
    ],
)
def test_what_is_a_customers_is_found_in_a_log(line: str, shows: bool) -> None:
    """A CPF, agency, account or arrival token; not a mask, a time or a correlation id."""
    assert bool(SHOWN.search(line)) is shows
