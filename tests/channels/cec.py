"""CEC with one customer in it, and the relay of examples/backend that it posts to."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from relay import Relay

from tests.channels.services import ARRIVAL_KEY

TOKEN = "made up, for CEC"

Client = TestClient[web.Request, web.Application]


def relay(rasa: str) -> Client:
    app = Relay(rasa, ARRIVAL_KEY, TOKEN).application()
    return TestClient(TestServer(app, host="127.0.0.1"))


class Cec:
    def __init__(self, http: Client) -> None:
        self.http, self.session = http, uuid4().hex

    async def says(self, text: str, context_id: object = None) -> tuple[list[str], str]:
        """Post what the customer writes; return the texts of the answers, and who goes on."""
        message = {"session": self.session, "text": text, "contextId": context_id}
        answer = await self.post({**message, "channel": "app"})
        return [each["text"] for each in answer["answers"]], answer["next"]

    async def post(self, body: object, token: str = TOKEN) -> Any:  # noqa: ANN401 - JSON
        """Post whatever it is; return the answer, or the status of one that is no JSON.

        An answer other than 200 has its status as well.
        """
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.http.post("/messages", data=BytesIO(content), headers=headers) as answer:
            is_json = answer.content_type == "application/json"
            if not is_json:
                return answer.status
            return {**await answer.json(), **({} if answer.ok else {"status": answer.status})}
