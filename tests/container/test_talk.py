"""What the users of the Compose try notice."""

from __future__ import annotations

from tests.container.breaks import SHOWN
from tests.container.talk import ANSWERED, NOTHING, WRONG, judged

ANAS, DIEGOS = "O saldo da conta 00123456 é de R$ 1.", "O saldo da conta 00900019 é de R$ 2."


def test_another_customers_balance_is_noticed() -> None:
    """Also beside one's own."""
    said = (ANAS, DIEGOS, f"{ANAS} {DIEGOS}", "", "Tente de novo.")
    told = [ANSWERED, WRONG, WRONG, NOTHING, "Tente de novo."]
    assert [judged(each, "ana") for each in said] == told


THEIRS = (
    'DETAIL: (\'kiosk-1\', \'slot\', \'{"name": "agency", "value": "0341"}\')',
    "[parameters: {'data': '52998224725'}]",
    "CPF 529.982.247-25 typed",
    ANAS,
    'contextId="eyJhbGciOiJIUzI1NiJ9.eyJjb250ZXh0SWQiOiJhbmEifQ.x"',
)
NOBODYS = (
    "2026-12-01 14:31:36.0341 [parameters] (CPF) body",
    "correlation=523ce152-0341-8191-ab1f-db55bd11f75f context=34ee4c3a94c3",
)


def test_what_is_a_customers_is_found_in_a_log() -> None:
    """A CPF, agency, account or arrival token; not a mask, a time or a correlation id."""
    found = [line for line in (*THEIRS, *NOBODYS) if SHOWN.search(line)]
    assert found == [*THEIRS]
