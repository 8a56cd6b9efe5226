"""A server beside a test that blocks: what runs beside a bot, played by a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@contextmanager
def serving(page: Callable[[str, Any], object]) -> Iterator[str]:
    """Answer with the JSON or the bytes that `page` has for a path and what is posted there.

    Bytes may come part by part. None is answered with 404, another status by its number. A GET
    posts None.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            posted = self.rfile.read(int(self.headers["Content-Length"] or 0))
            shown = page(self.path, json.loads(posted or "null"))
            self.send_response(shown if isinstance(shown, int) else 404 if shown is None else 200)
            self.end_headers()
            if isinstance(shown, Iterator):
                with suppress(ConnectionError):  # who asked may have gone
                    self.wfile.writelines(shown)
            else:
                self.wfile.write(shown if isinstance(shown, bytes) else json.dumps(shown).encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Write no line."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
