"""Which of the keys and passwords in this repository are made up: the filter of `make secrets`.

detect-secrets asks about each one that it finds. What is made up here is written in words, in lower
case, as no key is that anybody uses; so a new one needs no line below.
"""

from __future__ import annotations

import re

_MADE_UP = re.compile(
    r"""
      [a-z][a-z\ -]*                     # words in lower case: planted-password
    | .*(?i:planted|made-up|s3cret).*
    | (name\ the\ folder|PS7\ that\ refuses|cannot\ be\ used;)\ .*       # sentences of the command
    | ps7 | PS7_SECRETS_DIR              # names of ours
    | assistant/ingress-ca               # a Secret of examples/deploy, by its name
    | --build-arg=ACTIONS=examples/oss-bot/actions
    | name:\ ps7-tls\n[^:]*:\n[a-z0-9\s{}:,.-]*    # a Secret's name, files
    | from-secret\\n | PS7_PASSWORD=from-env-file\\n.* | pass\ word=:; | p%40ss
    | ABCDEFGHIJKLMNOPQRSTUVWXYZ.*       # an alphabet
    | dGVzdHMtb25seS10ZXN0cy1v.*         # "tests-only", as a seal key
    | 5db4073b6495                       # the digest of "ana" under a key of the tests
    | 57e18ae22e42 | aba8fbb63aa8 | d1e61cc1f370    # digests of other texts under "a key"
    | 9f86d081884c7d659a2feaa0c55ad015 | 60303ae22b998861bce3b28f33eec1be    # SHA-256 of "test"
    | eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9\.eyJjb250ZXh0SWQiO.*   # examples/backend: expired
    | eyJhbGciOiJIUzI1NiJ9\.eyJjb250ZXh0SWQiOi.*    # tests/deploy: signed by nobody
    | .{0,6}_CSPtsDlmkvw0SYCSRH9g/affirm   # examples/channels/texts.json: a button's seal
    | H4sIAAAAAAACA.* | gIGCg4SFhoeI.* | eyJwYXlsb2FkIjogeyJ1X3NlZyI6.*    # tests/vectors: bodies
    """,
    re.VERBOSE,
)


def is_made_up(secret: str) -> bool:
    """Whether a secret stands here on purpose. detect-secrets goes by the name of the argument."""
    return _MADE_UP.fullmatch(secret) is not None
