"""Runs examples/deploy/compose.yaml on a real Docker engine, and breaks it: `make compose`.

The engine, its networks and its firewall rules live in namespaces of their own, and end with them.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from actions.ps7.testing import Simulator
from examples.deploy import make_secrets
from tests.container import breaks, stand_ins, upgrades
from tests.container.engine import Engine, part
from tests.container.stack import PORT, PS7, Stack
from tests.container.talk import ANSWERED, LATE, Summary, Talk, judged
from tests.deploy.runbook import in_compose
from tests.docs.documents import document
from tests.support.processes import ROOT

PROGRAMS = (
    *("buildah", "podman", "runc", "mmdebstrap", "dockerd", "containerd", "docker"),
    *("docker-compose", "unshare", "ip", "iptables"),
)
NAMESPACES = (*("--net", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"),)
EVERYWHERE = "0.0.0.0"  # noqa: S104 - of a namespace

TO_POSTGRES = """
import psycopg2
told = {"host": "postgres", "dbname": "rasa", "user": "rasa", "sslrootcert": "/run/tls/ca.crt"}
password = open("/run/secrets/DB_PASSWORD").read()
asked = psycopg2.connect(**told, sslmode="verify-full", password=password).cursor()
asked.execute("select rolsuper from pg_roles where rolname = current_user")
print("superuser", asked.fetchone()[0])
asked.execute("select sender_id, count(*) from events where type_name = 'user' group by 1")
print("conversations", dict(asked.fetchall()))
"""
SHUT = """
import socket
try:
    socket.create_connection(("{}", {}), 3)
except OSError:
    print("shut")
"""


HOPS = (
    ("rasa", "no action server", ("python", "-c", SHUT.format("actions", 5055)), "shut"),
    ("rasa", "PostgreSQL, as no superuser", ("python", "-c", TO_POSTGRES), "superuser False"),
    ("rasa", "… and the conversation is there", ("python", "-c", TO_POSTGRES), "{'1': 1, '2': 1}"),
    ("proxy", "no action server", ("sh", "-c", "getent hosts actions || echo shut"), "shut"),
    ("actions", "no PostgreSQL", ("python", "-c", SHUT.format("postgres", 5432)), "shut"),
)
"""From where to where, a command, and what it says. An answer takes the hops that are open."""
SIGNAL = """
import os, pathlib
spawned = b"--multiprocessing-fork\\0"
found = pathlib.Path("/proc").glob("[0-9]*/cmdline")
os.kill(max(int(f.parent.name) for f in found if f.read_bytes().endswith(spawned)), {})
"""
BROKEN = {"killed": 9, "stopped, so that it hangs": 19}
"""What happens to a worker: the number of a signal."""


def run(engine: Engine, began: float) -> None:
    """Build the others; then go on in namespaces, of which this process sees the end."""
    stand_ins.build(engine)
    part("Rasa with a trained model, built on this machine's Python 3.10", began)
    for image in dict.fromkeys(stand_ins.IMAGES.values()):
        archive = engine.folder / f"{image.partition(':')[0]}.tar"
        engine.run("podman", "save", "--quiet", "-o", archive, f"localhost/{image}")
    inner = (sys.executable, "-m", "tests.container.try_compose", engine.folder, str(began))
    if subprocess.run(["unshare", *NAMESPACES, *inner], cwd=ROOT, check=False).returncode:
        raise SystemExit("compose: failed")


async def in_namespace(folder: Path, began: float) -> None:
    """Start everything, talk, look at each hop, and replace the servers."""
    stack = Stack(folder)
    authority = stack.prepare()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority.file)
    served.load_cert_chain(
        authority.file.with_name("server.crt"), authority.file.with_name("server.key")
    )
    served.verify_mode = ssl.CERT_REQUIRED
    ps7 = Simulator(host=EVERYWHERE, port=PORT, ssl_context=served, host_name=PS7)
    ps7.username = ps7.password = make_secrets.FILL_IN
    engine = await asyncio.to_thread(stack.start_engine)
    try:
        async with ps7:
            talk = await begin(stack, began)
            await wear_out(stack, talk, began)
            await asyncio.to_thread(end, stack, talk, began)
            await asyncio.to_thread(follow, stack, talk, began)
            await breaks.all_of_them(stack, talk, ps7, began)
            await upgrades.all_of_them(stack, talk, began)
    except (AssertionError, SystemExit):
        sys.stdout.write(stack.docker("compose", "logs", "--tail", "40", check=False))
        raise
    finally:
        stack.docker("compose", "down", "--volumes", "--timeout", "5", check=False)
        engine.terminate()
        engine.wait(30)


async def begin(stack: Stack, began: float) -> Talk:
    """Do what a person would do first."""
    await asyncio.to_thread(stack.up)
    part("compose.yaml, and PS7 behind an authority of its own: all healthy", began)
    talk = Talk(stack.deploy)
    said = await talk.ask("1", talk.token("ana", "1"))
    assert judged(said, "ana") == ANSWERED, said
    unsigned = judged(await talk.ask("2", "ana"), "ana")
    assert unsigned != ANSWERED, "a contextId that nobody signed"
    part(f"a signed conversation over https: {said}", began)
    for service, to, command, expected in HOPS:
        told = await asyncio.to_thread(stack.inside, service, *command)
        assert expected in told, f"{service} -> {to}: {told}"
        part(f"{service} -> {to}", began)
    return talk


async def wear_out(stack: Stack, talk: Talk, began: float) -> None:
    """Break a worker, and replace Rasa's servers, while users talk."""

    async def told(what: str, seconds: float = 0, limit: float = LATE) -> Summary:
        await asyncio.sleep(seconds)
        summary = Summary.of(talk.turns[len(before) :], limit)
        before.extend(talk.turns[len(before) :])
        part(f"{what}: {summary}", began)
        assert summary.told.keys() == {ANSWERED}, "a turn was lost"
        return summary

    before = list(talk.turns)
    users = [asyncio.create_task(user) for user in talk.all()]
    well = await told("all is well", 20)
    limit = max(LATE, well.longest + 0.5)  # on a busy machine
    for what, number in BROKEN.items():
        script = SIGNAL.format(number)
        await asyncio.to_thread(stack.inside, "actions", "python", "-c", script)
        # The other server gets the calls; the container of this one ends, and is started again.
        summary = await told(f"a worker is {what}, under load", 60, limit)
        turns = sum(summary.told.values())
        assert summary.late <= turns / 10, "more than one turn in ten is late"
        await asyncio.to_thread(stack.up)
        up = await asyncio.to_thread(breaks.measured, 'up{job="ps7"} == 1')
        assert len(up) == 2, f"servers that are measured: {up}"
    await asyncio.to_thread(stack.renew, "rasa")
    await told("each server of Rasa replaced under load")
    for user in users:
        user.cancel()
        with suppress(asyncio.CancelledError):
            await user


def end(stack: Stack, talk: Talk, began: float) -> None:
    """Look for what was said in what is kept, restart what keeps it, and erase a conversation."""
    sent = Counter(turn.sender for turn in talk.turns)
    sender, *_ = sent
    stack.docker("compose", "restart", "postgres")
    stack.up("--no-deps", "--no-recreate", "postgres")
    kept = stack.inside("rasa", "python", "-c", TO_POSTGRES)
    found = json.loads(kept.rpartition("conversations ")[2].replace("'", '"'))
    # The last message of each may be one that was cut off with its user.
    assert all(found[user] - number in {0, 1} for user, number in sent.items()), (found, sent)
    part(f"PostgreSQL, restarted, has each of {sent.total()} messages", began)
    assert judged(asyncio.run(talk.ask("3", talk.token("ana", "3"))), "ana") == ANSWERED
    blocks = [each.code for each in document("docs/operations.md").blocks]
    (erase,) = (each for each in blocks if "DELETE FROM events" in each)
    (script,) = (each for each in blocks if "cat erase.sh" in each)
    (stack.folder / "erase.sh").write_text(erase)
    said = stack.shell(script, f"{sender}\n")
    assert said.split()[-3:] == ["0", "(1", "row)"], said
    assert f"'{sender}'" not in stack.inside("rasa", "python", "-c", TO_POSTGRES)
    part("a conversation is erased by the statements of docs/operations.md", began)


def follow(stack: Stack, talk: Talk, began: float) -> None:
    """Type each command of the runbook."""
    # A conversation is saved before it is explained.
    typed = in_compose(talk.turns[-1].sender)
    for line, script, expected in sorted(typed, key=lambda each: "save " not in each[0]):
        none = " || [ $? = 1 ]" * ("| grep" in line)  # grep has found nothing
        told = stack.shell(f"{script}{none}")
        assert expected in told, f"{line}: {told}"
        part(f"the runbook: {line}", began)


if __name__ == "__main__":
    asyncio.run(in_namespace(Path(sys.argv[1]), float(sys.argv[2])))
