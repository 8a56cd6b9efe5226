"""The code for a back-end signs, in each language, what the vectors say and the plugin accepts."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from actions.ps7.conversation.arrival import ArrivalVerifier, look_in
from tests.docs.documents import document
from tests.support.needs import lacking
from tests.support.processes import ROOT, printed, run

pytestmark = pytest.mark.slow

FOLDER = ROOT / "examples" / "backend"
VECTORS = json.loads((FOLDER / "arrivals.json").read_text(encoding="utf-8"))
KEY: str = VECTORS["key"]
NOW: int = VECTORS["now"]
PLAIN, AWKWARD = VECTORS["arrivals"]

JOSE = FOLDER / "node_modules" / "jose" / "package.json"
JARS = [Path("/usr/share/java", name) for name in ("jose4j.jar", "slf4j-api.jar", "slf4j-nop.jar")]
PROGRAMS: dict[str, tuple[list[str], list[Path], str]] = {
    "python": ([sys.executable, "arrival_token.py"], [], ""),
    "node": (["node", "arrival_token.mjs"], [JOSE], "apt-get install npm"),
    "java": (
        ["java", "-XX:TieredStopAtLevel=1", "-cp", ":".join(map(str, JARS)), "ArrivalToken.java"],
        JARS,
        "apt-get install default-jdk-headless libjose4j-java",
    ),
}


def signed(language: str, arrival: dict[str, Any], *now: int) -> str:
    """Return what the program of a language prints for a vector, at its time or the clock's."""
    command, needed, how = PROGRAMS[language]
    if shutil.which(command[0]) is None or not all(file.exists() for file in needed):
        lacking(f"{language} and what signs there", how)
    arguments = [arrival["context_id"], arrival["sender_id"], *map(str, now)]
    said = printed(*command, *arguments, cwd=FOLDER, variables={"ARRIVAL_KEY": KEY})
    return said.strip()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims of a token that the key signed."""
    options: Any = {"verify_exp": False}
    read = jwt.decode_complete(token, KEY, algorithms=["HS256"], options=options)
    return read["header"], read["payload"]


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_program_signs_what_its_vectors_say(language: str) -> None:
    """Plain text byte for byte, and awkward text by its claims: libraries escape in different ways.

    Without a time it is the clock's, and a token holds for a minute.
    """
    assert signed(language, PLAIN, NOW) == PLAIN["token"]
    before = int(time.time())
    header, claims = parts(signed(language, AWKWARD))
    assert before <= claims["iat"] <= time.time()
    of_vector, said = parts(AWKWARD["token"])
    made = {"iat": claims["iat"], "exp": claims["iat"] + 60}
    assert (header, claims) == (of_vector, said | made)


def test_java_signs_alike_in_each_locale() -> None:
    """Before Java 18 the locale says how text becomes bytes, unless the code does."""
    code = (FOLDER / "ArrivalToken.java").read_text(encoding="utf-8")
    assert re.findall(r"getBytes\((\w*)\)", code) == ["UTF_8"]


def test_a_line_checks_a_token() -> None:
    """As README.md has it: by the same key it prints the claims, else why the token is none."""
    page = document("examples/backend/README.md")
    (line,) = (each.code for each in page.blocks if "jwt.decode" in each.code)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    def decoded(line: str, key: str) -> tuple[str, str]:
        variables = {"PATH": path, "ARRIVAL_KEY": key}
        done = run("sh", "-c", line, cwd=FOLDER, variables=variables)
        return done.stdout, done.stderr

    claims, errors = decoded(line, KEY)
    assert (ast.literal_eval(claims)["sub"], errors) == (PLAIN["sender_id"], "")
    command, _, _ = line.rpartition('"$(')
    for token, key, why in (
        (PLAIN["token"], KEY, "ExpiredSignatureError"),
        (PLAIN["token"], f"{KEY}x", "InvalidSignatureError"),
        ("eyJ", KEY, "DecodeError"),
    ):
        claims, errors = decoded(command + token, key)
        assert claims == ""
        assert why in errors


@pytest.mark.parametrize("arrival", [PLAIN, AWKWARD], ids=["plain", "awkward"])
def test_the_plugin_accepts_each_vector(arrival: dict[str, Any]) -> None:
    """In its conversation, from the moment that it names, for a minute."""
    hit = look_in({"contextId": arrival["token"]}, [["contextId"]])
    assert hit is not None
    verifier = ArrivalVerifier(["another-made-up-secret-of-a-back-end", KEY])
    found = verifier.read(hit, arrival["sender_id"])
    assert (found.context_id, found.refused) == (arrival["context_id"], None)
    accepted = [found.may_arrive_at(NOW + seconds) for seconds in (0, 59, 60)]
    assert accepted == [True, True, False]
