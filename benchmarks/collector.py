"""Where spans go: takes what an OpenTelemetry exporter sends over gRPC, and throws it away.

    python -m benchmarks.collector

It prints where it listens. Nothing is decoded, so that it stays out of the measurement's way.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"


def _take(_request: bytes, _context: object) -> bytes:
    return b""  # as a message: nothing was refused


def main() -> None:
    """Listen until the process is ended."""
    server = grpc.server(ThreadPoolExecutor(2))
    export = {"Export": grpc.unary_unary_rpc_method_handler(_take)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, export),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"http://127.0.0.1:{port}\n")
    sys.stdout.flush()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
