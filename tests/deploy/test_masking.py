"""What Rasa's image logs of a customer: nothing, whatever its stores and action servers do."""

from __future__ import annotations

import os
import re
import sys

from tests.deploy.deployment import DEPLOY, load
from tests.support.processes import run

SAID = """
import logging, logging.config, sys, warnings
from ruamel.yaml import YAML
logging.config.dictConfig(YAML(typ="safe").load(open("logging.yml")))
for what in sys.argv[1:]:
    try:
        raise ValueError(what)
    except ValueError:
        logging.exception("%s said: %s, end", "Rasa", what)
    logging.error(f"Please investigate the following error: {what}.")
    warnings.warn(what)
    print(end="\\0", file=sys.stderr)
"""
ROW = "{'sender_id': '1', 'data': '{\"cpf\": \"52998224725\", \"agency\": \"4321\"}'}"
STORE = f"(psycopg2.errors.DiskFull) disk full\n[SQL: INSERT INTO events]\n[parameters: {ROW}]\n"
ANSWER = '500, Internal, body=\'{"slots": {"agency": "4321"}, "text": "\\\\n"}\''
LOCALS = (
    r'{"name": "receive", "locals": {"a": "\"{\'agency\': \'4321\'}\"+113", "b": "4321"}}], "x": 1}'
)
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJjb250ZXh0SWQiOiI0MzIxIn0.x-4321_A"


LEFT = {
    "CPF 529.982.247-25, 52998224725; conta 00123456": "CPF (CPF), (CPF); conta 00123456",
    **{each: each for each in ("of 153 0012345678901 99, 1764590000", "529982247251, 5299822472")},
    "(11) 1234-5678, 11 91234-567": "(11) 1234-5678, 11 91234-567",
    "+55 11 91234-5678, (11) 91234-5678, 5511912345678": "(mobile), (mobile), (mobile)",
    "+5511 91234 5678, (11)912345678": "(mobile), (mobile)",
    f"{STORE}(Background on this error at: x)": "[parameters] (Background on this error at: x",
    STORE: "[SQL: INSERT INTO events]\n[parameters]",
    f"{STORE}{STORE}(Background on this error at: x)": "[parameters] (Background on this err",
    "no null\nDETAIL:  Failing row contains (1, 4321)": "no null\nDETAIL",
    ANSWER: "500, Internal, body",
    f"/greet {TOKEN} and so on": "/greet (token) and so on",
    f"'{TOKEN[:30]}'+113, {TOKEN[:60]}": "'(token)'+113, (token)",
    LOCALS: '{"name": "receive", "locals": {}}], "x": 1}',
    "SomebodyJones.eyJonly.two": "SomebodyJones.eyJonly.two",
}
"""What is logged, and what is left of it."""


def test_a_customer_is_masked_in_every_line() -> None:
    """In messages, arguments, warnings and tracebacks, by the two files of the image."""
    command = (sys.executable, "-W", "always", "-c", SAID, *LEFT)
    done = run(*command, cwd=DEPLOY / "rasa", variables=os.environ)
    *logged, _ = done.stderr.split("\0")
    for (what, left), said in zip(LEFT.items(), logged, strict=True):
        assert said.count(left) >= 4, what
        assert "ValueError: " in said
        if left != what:
            assert not re.search("52998224725|529.982.247-25|4321", said)


def test_the_image_leaves_rasas_own_logging_as_it_is() -> None:
    """Its levels and handlers."""
    settings = load(DEPLOY / "rasa" / "logging.yml")
    assert settings["disable_existing_loggers"] is False
    assert not {"handlers", "loggers", "root"} & settings.keys()
