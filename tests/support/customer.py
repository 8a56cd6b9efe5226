"""A customer of whom everything is known."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from actions.ps7.customer import CustomerContext, Identification, SecurityDevice, TokenStatus

NOW = datetime(2026, 11, 24, 12, 0, 0, 123456, tzinfo=timezone.utc)
CUSTOMER = CustomerContext(
    cpf="52998224725",
    agency="0001",
    account="0012345-6",
    segment="Personnalité",
    phone_number="+5511999998888",
    id_document="RG",
    identification=Identification.AUTHENTICATED,
    security_device=SecurityDevice.TOKEN,
    token_status=TokenStatus.VALID,
    expires_at=NOW + timedelta(hours=1),
    key="12311",
    payload={
        "u_cpf": "529.982.247-25",
        "u_ion": " 7 ",
        "u_n": 1.5,
        "contexto": {"u_tag": "T", "u_ion": "8", "u_x": [None, True]},
    },
)
