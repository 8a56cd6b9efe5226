"""Five bots before `rasa-ps7 init`, small enough for Rasa to learn in seconds, and what it says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

PIPELINE = """\
recipe: default.v1
language: pt
assistant_id: init
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
  - name: LogisticRegressionClassifier
"""
POLICIES = """\
policies:
  - name: MemoizationPolicy
  - name: RulePolicy # rules first
    core_fallback_threshold: 0.3
"""
_DATA = """\
version: "3.1"
nlu:
  - intent: greet
    examples: |
      - hi
      - oi
  - intent: pay
    examples: |
      - pix
      - quero pagar
rules:
  - rule: A greeting
    steps:
      - intent: greet
      - action: utter_greet
"""
_DOMAIN = """\
version: "3.1"
intents: [greet, pay]

responses:
  utter_greet: # what everybody hears
    - text: "Olá!"

session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
"""
_FORM = """\
slots:
  cpf:
    type: text
    mappings:
      - {type: from_text, conditions: [{active_loop: pix_form, requested_slot: cpf}]}
forms:
  pix_form: {required_slots: [cpf]}
"""
_ASKS = '  utter_ask_cpf: [{text: "Para qual CPF?"}]\n'
_PAYS = """\
  - rule: A payment
    steps:
      - intent: pay
      - action: %s
"""
_FORM_BEGINS = _PAYS % "pix_form" + "      - active_loop: pix_form\n"
_OWN_ACTION = '''\
"""What this bot does by itself."""

from rasa_sdk import Action


class ActionPay(Action):
    def name(self):
        return "action_pay"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message("Pago.")
        return []
'''
_ENDPOINT = 'action_endpoint: {url: "http://localhost:5055/webhook"} # ours\n'

BOTS: dict[str, dict[str, str]] = {
    # As `rasa init` makes one: no policies, and comments in the place of what may be set.
    "rasa-init": {
        "domain.yml": _DOMAIN,
        "config.yml": f"{PIPELINE}\npolicies:\n"
        "# # No configuration for policies was provided.\n#   - name: MemoizationPolicy\n"
        "#   - name: RulePolicy\n# Ours.\n",
        "endpoints.yml": "# Server which runs your custom actions.\n\n#action_endpoint:\n"
        '#  url: "http://localhost:5055/webhook"\n\n#tracker_store:\n#  type: redis\n',
        "data/all.yml": _DATA,
        "actions/__init__.py": "",
        "actions/actions.py": "# Your actions.\n",
    },
    # One file, no endpoints.yml and no actions at all.
    "file": {
        "domain.yml": _DOMAIN,
        "config.yml": PIPELINE + POLICIES,
        "data/all.yml": _DATA,
    },
    # A folder, from Windows, in git, with an action server of its own.
    "folder": {
        "domain/a.yml": 'version: "3.1"\r\nintents: [greet, pay]\r\n',
        "domain/texts/b.yml": _DOMAIN.replace("intents: [greet, pay]\n", "").replace("\n", "\r\n"),
        "config.yml": (PIPELINE + POLICIES).replace("\n", "\r\n"),
        "data/all.yml": _DATA,
        "endpoints.yml": _ENDPOINT.replace("localhost", "127.0.0.1"),
        "actions/__init__.py": "import logging",
        ".gitignore": "# .env\nmodels/",
    },
    # A form that asks for the CPF of somebody else.
    "payee": {
        "domain.yml": _DOMAIN.replace("\nresponses:\n", f"{_FORM}\nresponses:\n{_ASKS}"),
        "config.yml": PIPELINE + POLICIES,
        "data/all.yml": _DATA + _FORM_BEGINS,
        "actions.py": '"""None yet."""\n',
    },
    # Actions of its own, and settings of the bank's.
    "actions": {
        "domain.yml": _DOMAIN.replace("\nresponses:", "actions: [action_pay]\n\nresponses:"),
        "config.yml": PIPELINE + POLICIES,
        "data/all.yml": _DATA + _PAYS % "action_pay",
        "endpoints.yml": f"{_ENDPOINT}tracker_store:\n  type: InMemory",
        "actions/__init__.py": "",
        "actions/pay.py": _OWN_ACTION,
        ".env": "PS7_BASE_URL=https://cec.example.com\nPS7_PASSWORD=planted",
    },
}


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a bot."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())


def left_to_you(out: str) -> list[str]:
    """Return what `init` leaves to a person."""
    listed = re.findall(r"Left to you\n((?:  .*\n)*)", out)
    return [line.strip() for part in listed for line in part.splitlines()]


def fail_at(full: pytest.MonkeyPatch, step: int, *names: str) -> None:
    """Let the disk be full at one of the steps that these methods of a path make."""
    steps = iter(range(99))

    def failing_once(real: Callable[..., object]) -> Callable[..., object]:
        def counted(path: Path, *to: Path, **options: object) -> object:
            if next(steps) == step:
                raise OSError(28, "No space left on device")
            return real(path, *to, **options)

        return counted

    for name in names:
        full.setattr(Path, name, failing_once(getattr(Path, name)))
