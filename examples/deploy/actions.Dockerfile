# The action server: the bot's own actions and the plugin beside them. Built at the root of the project:
#   docker build -f examples/deploy/actions.Dockerfile -t ps7-actions:0.1.0 .
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
WORKDIR /app

COPY requirements/runtime.txt ./
RUN pip install --requirement runtime.txt

COPY examples/oss-bot/actions/__init__.py examples/oss-bot/actions/balance.py actions/
COPY actions/ps7 actions/ps7

USER 10001:10001
EXPOSE 5055
CMD ["python", "-m", "rasa_sdk", "--actions", "actions"]
