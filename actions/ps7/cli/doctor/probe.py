"""Asks the token endpoint and PS7, once each, over the plugin's own transport."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from ... import clock
from ...api.gateway import Gateway
from ...api.transport import Transport
from ...api.wire import build_request, decode
from ...errors import DeadlineExceeded, LookupFailed, Reason
from . import answers

if TYPE_CHECKING:
    from pydantic import SecretStr

    from ...api.wire import Answer
    from ...settings import PS7Settings
    from .finding import Finding


async def fetch_token(
    settings: PS7Settings, app_key: SecretStr, app_secret: SecretStr
) -> tuple[Finding, str | None]:
    """Fetch a token; give none beside an error."""
    transport = Transport(settings)
    try:
        text = await Gateway(settings, app_key, app_secret, transport.send).token()
    except LookupFailed as failure:
        return answers.token(failure), None
    finally:
        await transport.close()
    return answers.token(None), text


async def look_up_nobody(settings: PS7Settings, token: str | None) -> list[Finding]:
    """Look up a contextId that nobody has, once, and judge what comes back."""
    request = build_request(
        settings,
        f"rasa-ps7-doctor-{uuid4().hex}",
        encoded=None,
        correlation_id=None,
        flow_id=str(uuid4()),
    ).with_headers({} if token is None else {"Authorization": f"Bearer {token}"})
    transport = Transport(settings)
    answer: Answer | None = None
    failure: LookupFailed | None = None
    started = time.monotonic()
    try:
        answer = await asyncio.wait_for(transport.send(request), settings.deadline)
        decode(answer, received_at=clock.utc_now(), max_age=settings.max_age)
    except LookupFailed as error:
        failure = error
    except asyncio.TimeoutError:
        failure = DeadlineExceeded(Reason.DEADLINE)
    finally:
        seconds = time.monotonic() - started
        await transport.close()
    found = answers.probe(failure, answer, seconds, settings)
    return found if answer is None else found + answers.clock(answer, clock.utc_now())
