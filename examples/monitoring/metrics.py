"""Serves the metrics of each worker of the action server, for Prometheus.

Copy this into the bot's `actions/`, and let `actions/__init__.py` say `import rasa_ps7` and
`from . import metrics`, so that every worker loads it. There are as many ports as workers, from
`OTEL_EXPORTER_PROMETHEUS_PORT` (9464) of `OTEL_EXPORTER_PROMETHEUS_HOST` (localhost) on. Each
worker takes the first that is free. With `--grpc` there are no workers: call `serve()` there.
`target_info` names the container or pod, whose address another one may get.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from typing import TYPE_CHECKING, Any

import pluggy
from opentelemetry import metrics
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import start_http_server
from rasa_sdk.plugin import plugin_manager
from rasa_sdk.utils import number_of_sanic_workers

if TYPE_CHECKING:
    from sanic import Sanic

logger = logging.getLogger(__name__)


def serve() -> None:
    """Serve what this process measures on the first free port, of one for each worker.

    Where none can be opened, or the process has a meter provider already, a WARNING says so, and
    the worker serves no metrics.
    """
    host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "localhost")
    first = int(os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "9464"))
    resource = Resource.create({"service.instance.id": socket.gethostname()})
    provider = MeterProvider([PrometheusMetricReader()], resource=resource)
    metrics.set_meter_provider(provider)
    if metrics.get_meter_provider() is not provider:
        logger.warning("Metrics of this worker are not served: the process has a provider already")
        return
    for port in range(first, first + number_of_sanic_workers()):
        try:
            start_http_server(port, host)
        except OSError:
            continue
        logger.info("Metrics of this worker: http://%s:%d/metrics", host, port)
        return
    logger.warning("Metrics of this worker are not served: no port of %s is free", host)


@pluggy.HookimplMarker("rasa_sdk")
def attach_sanic_app_extensions(app: Sanic[Any, Any]) -> None:
    """Serve from each worker, and not from the process that starts them."""
    app.register_listener(lambda *_: serve(), "before_server_start")


if not plugin_manager().has_plugin(__name__):  # a module that is reloaded is there already
    plugin_manager().register(sys.modules[__name__])
