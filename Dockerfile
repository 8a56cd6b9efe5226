# The action server: the actions of a bot, and the plugin beside them.
#
#   docker build -t ps7-actions:0.1.0 .                      # the plugin alone
#   docker build -t ps7-actions:0.1.0 --build-arg ACTIONS=examples/oss-bot/actions .
#   docker build -t ps7-doctor:0.1.0 --target doctor .       # the command rasa-ps7 as well
#
# Only its environment configures it, and it only writes to /tmp: examples/deploy/README.md. It serves
# its metrics on port 9464. Another base image needs Python 3.13, and glibc 2.28 or newer.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# Whatever installing takes stays in here.
FROM ${PYTHON_IMAGE} AS build

# A mirror of the package index, and the authority of a proxy that inspects TLS (PYTHON_IMAGE has its file).
ARG PIP_INDEX_URL
ARG PIP_CERT

# Wheels alone, each of them known by its hash: nothing that is built here runs code of its own.
COPY requirements/container.txt requirements/telemetry.txt /build/
# Process 1 gets no signal that it does not ask for: else a SIGTERM of the first second is lost.
RUN python -m venv --without-pip /opt/venv \
    && python -m pip --python /opt/venv install --no-cache-dir --disable-pip-version-check \
       --only-binary :all: --require-hashes --requirement /build/container.txt --requirement /build/telemetry.txt \
    && echo "import os, signal; signal.signal(signal.SIGTERM, lambda *_: os._exit(0))" \
       >"$(echo /opt/venv/lib/python3.*/site-packages)/sigterm.pth"

# A folder of actions that is not the example's has to be let through by .dockerignore as well.
ARG ACTIONS=actions
WORKDIR /app
# A metrics.py among the bot's actions takes the place of ours.
COPY examples/monitoring/metrics.py actions/
COPY ${ACTIONS} actions
COPY actions/ps7 rasa_ps7
COPY examples/deploy/serve.py serve.py
# The plugin has the wheel's name, and is there once. A server needs neither the command nor the test
# kit. Nothing is compiled at run time; and the files may be readable by nobody else on the machine
# that builds the image, but are by any user in it. The SDK says ERROR at each start if there is no
# endpoints.yml.
RUN rm -rf actions/ps7 && mkdir ../doctor && mv rasa_ps7/cli rasa_ps7/testing ../doctor \
    && echo '{}' >endpoints.yml && echo 'import rasa_ps7; from . import metrics' >>actions/__init__.py \
    && python -m compileall -q . ../doctor && chmod -R a=rX . ../doctor

FROM ${PYTHON_IMAGE} AS server

LABEL org.opencontainers.image.title="rasa-ps7" \
      org.opencontainers.image.description="Rasa action server that knows a bank's customer from PS7" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"

COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# One worker: its metrics are those of the container, and if it dies the container ends.
ENV ACTION_SERVER_SANIC_WORKERS=1
WORKDIR /app
USER 10001:10001
EXPOSE 5055 9464

# One check of the server's /health, as the entry point makes it: with another port or TLS, set HEALTH_URL.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["python", "/app/serve.py"]

ENTRYPOINT ["python", "/app/serve.py"]
CMD ["python", "-m", "rasa_sdk", "--actions", "actions"]

FROM server AS doctor

COPY --from=build /doctor /app/rasa_ps7

# What is built where no target is named.
FROM server
