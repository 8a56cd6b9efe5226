"""The simulator's own pages, for a person at a browser and for tests in another process. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import FAULTS
from ..personas import PERSONAS
from . import gateway, token_endpoint
from .reply import Reply, make_reply, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from .recorded import RecordedRequest

_SECRETS = (
    gateway.USERNAME_HEADER,
    gateway.PASSWORD_HEADER,
    gateway.API_KEY_HEADER,
    gateway.APP_KEY_HEADER,
    gateway.TOKEN_HEADER,
)


def page(
    method: str,
    path: str,
    requests: list[RecordedRequest],
    token_requests: list[RecordedRequest],
) -> Reply | None:
    """Give the page that is asked for, None if the request is none of the simulator's own.

    `DELETE /requests` empties the two lists of recorded requests that it is given.
    """
    make = _PAGES.get((method, path))
    if make is None:
        return None
    return make_reply(200, to_json(make(requests, token_requests), indent=2) + b"\n")


def _overview(*_: list[RecordedRequest]) -> dict[str, Any]:
    return {
        "service": "PS7 simulator",
        "lookup": f"{gateway.METHOD} {gateway.PATH}",
        "token": f"{gateway.METHOD} {token_endpoint.PATH}, where there is an app secret",
        "requests": "GET /requests shows what came in, DELETE /requests forgets it",
        "personas": [
            {
                "name": who.name,
                "contextId": who.context_id,
                "title": who.title,
                "slots": who.slots,
            }
            for who in PERSONAS.values()
        ],
        "faults": [
            {
                "name": fault.name,
                "contextId": fault.context_id,
                "title": fault.title,
                "outcome": fault.outcome,
                "reason": fault.reason,
            }
            for fault in FAULTS.values()
        ],
    }


def _list_requests(
    requests: list[RecordedRequest], token_requests: list[RecordedRequest]
) -> dict[str, Any]:
    return {
        "requests": [_show(request) for request in requests],
        "tokenRequests": [_show(request) for request in token_requests],
    }


def _forget_requests(
    requests: list[RecordedRequest], token_requests: list[RecordedRequest]
) -> dict[str, Any]:
    requests.clear()
    token_requests.clear()
    return _list_requests(requests, token_requests)


def _show(request: RecordedRequest) -> dict[str, Any]:
    """Show a request to a person: of secrets only whether they came along."""
    body = request.json if isinstance(request.json, dict) else {}
    return {
        "method": request.method,
        "path": request.path,
        "status": request.status,
        "refusal": request.refusal,
        "contextId": body.get("contextId"),
        "encoded": body.get("encoded"),
        "upstreamId": request.upstream_id,
        "correlationId": request.headers.get("x-itau-correlationID"),
        "flowId": request.headers.get("x-itau-flowID"),
        "present": {name: name in request.headers for name in _SECRETS},
    }


_PAGES: dict[tuple[str, str], Callable[..., dict[str, Any]]] = {
    ("GET", "/"): _overview,
    ("GET", "/requests"): _list_requests,
    ("DELETE", "/requests"): _forget_requests,
}
