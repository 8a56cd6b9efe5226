"""The simulator's own pages, for a person at a browser and for tests in another process. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..faults import FAULTS
from ..personas import PERSONAS
from . import gateway
from .gateway import Reply, make_reply, to_json

if TYPE_CHECKING:
    from ..faults import Fault
    from ..personas import Persona
    from .gateway import RecordedRequest
    from .server import Simulator


def page(method: str, path: str, simulator: Simulator) -> Reply | None:
    """Return the page that is asked for, None if the request is none of the simulator's own.

    `DELETE /requests` empties the simulator's two lists of recorded requests.
    """
    match method, path:
        case "GET", "/":
            shown = _overview()
        case "GET" | "DELETE", "/requests":
            if method == "DELETE":
                simulator.requests.clear()
                simulator.token_requests.clear()
            shown = {
                "requests": [_show(request) for request in simulator.requests],
                "tokenRequests": [_show(request) for request in simulator.token_requests],
            }
        case _:
            return None
    return make_reply(200, to_json(shown, indent=2) + b"\n")


def _overview() -> dict[str, Any]:
    return {
        "service": "PS7 simulator",
        "lookup": f"{gateway.METHOD} {gateway.PATH}",
        "token": f"{gateway.METHOD} {gateway.TOKEN_PATH}, where there is an app secret",
        "requests": "GET /requests shows what came in, DELETE /requests forgets it",
        "personas": [_name(who, slots=who.slots) for who in PERSONAS.values()],
        "faults": [
            _name(fault, outcome=fault.outcome, reason=fault.reason) for fault in FAULTS.values()
        ],
    }


def _name(one: Persona | Fault, **more: object) -> dict[str, Any]:
    return {"name": one.name, "contextId": one.context_id, "title": one.title, **more}


def _show(request: RecordedRequest) -> dict[str, Any]:
    """Return what a person may see of a request: of secrets only whether they came along."""
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
        "present": {name: name in request.headers for name in gateway.SECRET_HEADERS},
    }
