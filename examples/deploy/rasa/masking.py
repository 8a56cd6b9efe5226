"""Masks what is a customer's in each line of Rasa's: `rasa run --logging-config-file logging.yml`.

A store that cannot write is logged with the rows that it was to write; a failed call of an action
server, with its answer, which may be the whole tracker; a message that fails, with all variables.
Each is left out. CPFs, mobile numbers and arrival tokens are masked wherever they stand.
"""

import logging
import re

MASKS = (
    (re.compile(r"(?s)\[parameters: (?:.*(?=\(Background on this error)|.*)"), "[parameters] "),
    (re.compile(r"DETAIL: .*"), "DETAIL"),
    (re.compile(r"\bbody='.*"), "body"),
    (re.compile(r'"locals": \{(?:"(?:[^"\\]|\\.)*"[:,]? ?)*'), '"locals": {'),
    (re.compile(r"\beyJ[\w-]{12,}[\w.-]*"), "(token)"),
    (re.compile(r"(?<!\d)\d{3}\.?\d{3}\.?\d{3}-?\d{2}(?!\d)"), "(CPF)"),
    (re.compile(r"(?<!\d)(\+?55 ?)?\(?\d{2}\)? ?9\d{4}[- ]?\d{4}(?!\d)"), "(mobile)"),
)
make = logging.getLogRecordFactory()


def mask(text: str) -> str:
    """Return a text without what is a customer's."""
    for found, instead in MASKS:
        text = found.sub(instead, text)
    return text


def masked(*args: object, **kwargs: object) -> logging.LogRecord:
    """Make a record whose message and traceback are masked."""
    record = make(*args, **kwargs)
    record.msg, record.args = mask(record.getMessage()), ()
    if record.exc_info:
        record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
    return record


def install() -> None:
    """Mask all records from now on, and let warnings be some."""
    logging.setLogRecordFactory(masked)
    logging.captureWarnings(True)  # noqa: FBT003 - its only parameter
