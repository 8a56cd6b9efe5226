# Rasa Open Source with the trained bot in it. Built at the root of the project:
#   docker build -f examples/deploy/rasa.Dockerfile -t ps7-rasa:0.1.0 .
# Another base image needs Python 3.10.
ARG RASA_PYTHON_IMAGE=python:3.10-slim
FROM ${RASA_PYTHON_IMAGE} AS rasa

# A mirror of the package index, and the authority of a proxy that inspects TLS (the base image has its file).
ARG PIP_INDEX_URL
ARG PIP_CERT

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 RASA_TELEMETRY_ENABLED=false
# For x86_64: tensorflow-text has no wheel for aarch64. Each file is known by its hash. Three packages have no wheels: installing them runs code of theirs.
COPY requirements/rasa-container.txt /build/
RUN python -m pip install --only-binary :all: --no-binary docopt,mattermostwrapper,randomname --use-pep517 \
    --require-hashes --requirement /build/rasa-container.txt

FROM rasa AS training

WORKDIR /bot
COPY examples/oss-bot/config.yml ./
COPY examples/oss-bot/data data
COPY examples/oss-bot/domain/bot.yml domain/
COPY domain.yml domain/ps7/
RUN python -m rasa train --domain domain --fixed-model-name model --out /app/models
WORKDIR /app
COPY examples/oss-bot/credentials.yml examples/deploy/rasa/endpoints.yml examples/deploy/rasa/with-secrets \
     examples/deploy/rasa/masking.py examples/deploy/rasa/logging.yml ./
RUN chmod -R a=rX .

FROM rasa

WORKDIR /app
COPY --from=training /app ./

# Rasa keeps small files of its own in its home, and unpacks the model: in /tmp, the one place to write to.
ENV HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib
USER 10001:10001
EXPOSE 5005
ENTRYPOINT ["sh", "with-secrets"]
CMD ["python", "-m", "rasa", "run", "--model", "models/model.tar.gz", \
     "--endpoints", "endpoints.yml", "--credentials", "credentials.yml", "--logging-config-file", "logging.yml", \
     "--ssl-certificate", "/run/tls/rasa.crt", "--ssl-keyfile", "/run/tls/rasa.key"]
