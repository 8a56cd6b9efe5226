"""Mutation testing: mutmut changes the modules below, one place at a time, and a test must fail.

Works on a copy, so that nothing of it is ever seen by the other checks. What was tried there counts
until a file of the copy changes: a run that was stopped goes on where it was. Knows nothing of what
the modules do; which tests run is said here, and what may survive in `survivors.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from tests.support.processes import ROOT, printed

WORK = ROOT / ".mutants_cache"
SURVIVORS = Path(__file__).with_name("survivors.md")
MUTMUT = str(Path(sys.executable).with_name("mutmut"))
TESTS = ("tests/unit", "tests/model/test_walks.py")
TESTS_OF_HTTP = (
    *("tests/unit/test_http.py", "tests/unit/test_client.py"),
    *("tests/host/test_client_connections.py", "tests/host/test_connection_reuse.py"),
    *("tests/host/test_tls.py", "tests/host/test_request_on_the_wire.py"),
    "tests/host/test_telemetry.py::test_places_in_use_and_lookups_that_wait_are_shown",
)
"""What opens a socket is tried by itself, with tests that have a server."""
MODULES = {
    "customer": "actions/ps7/customer.py",
    "breaker": "actions/ps7/lookup/breaker.py",
    "tokens": "actions/ps7/lookup/tokens.py",
    "wire": "actions/ps7/lookup/wire.py",
    "arrival": "actions/ps7/conversation/arrival.py",
    "decision": "actions/ps7/conversation/decision.py",
    "history": "actions/ps7/conversation/history.py",
    "seal": "actions/ps7/conversation/seal.py",
    "state": "actions/ps7/conversation/state.py",
    "http": "actions/ps7/lookup/http.py",
}
"""The modules that mutation testing changes. All but `http` are pure."""
NEEDED = (
    *("actions", "tests", "examples/backend", "examples/channels"),
    *("pyproject.toml", "requirements/dev.txt"),
)

# Examples that are the same in each run, no deadline that a slow machine misses, and none that are
# stored for the next mutant. The command is no pure module, and reads the whole project.
CONFIG = """\
[mutmut]
source_paths = actions
only_mutate = {modules}
also_copy = examples
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = {options}
use_git_change_detection = false
on_dependency_change = ignore
timeout_constant = 4
"""
OPTIONS = (
    "--hypothesis-profile=ci",
    "-pno:cacheprovider",
    "-ptests.support.quick_first",
    "--ignore-glob=tests/unit/test_cli_*",
    "--ignore-glob=tests/unit/test_doctor_*",
)


def main() -> int:
    """Try the mutants of the modules that the command line names, or of all; report on them."""
    parser = argparse.ArgumentParser(description="Mutation testing of these modules.")
    parser.add_argument("modules", nargs="*", metavar="module", help=", ".join(MODULES))
    options = parser.parse_args()
    if unknown := set(options.modules) - set(MODULES):
        parser.error(f"no module of ours: {', '.join(sorted(unknown))}")
    modules = [one for one in MODULES if one in options.modules or not options.modules]
    alive: list[tuple[str, str]] = []
    runs = [one for one in modules if one != "http"], [one for one in modules if one == "http"]
    for run in filter(None, runs):
        folder = prepare(run)
        # It runs the tests once before, to learn which of them reach which function.
        with suppress(KeyboardInterrupt):
            subprocess.run([MUTMUT, "run"], cwd=folder, check=True)
        alive += results(folder)
    return report(modules, alive)


def prepare(modules: list[str]) -> Path:
    """Copy what the tests need, unless the copy of the last run is still the same."""
    files = sorted(
        file
        for name in NEEDED
        for file in ((ROOT / name).rglob("*") if (ROOT / name).is_dir() else [ROOT / name])
        if file.is_file() and not {"__pycache__", "mutants"} & set(file.relative_to(ROOT).parts)
    )
    config = CONFIG.format(
        modules="\n    ".join(MODULES[module] for module in modules),
        tests="\n    ".join(TESTS_OF_HTTP if modules == ["http"] else TESTS),
        options="\n    ".join(OPTIONS),
    )
    seen = hashlib.sha256(f"{sys.version}{config}".encode())
    for file in files:
        seen.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    folder = WORK / "-".join(modules)
    stamp = folder / "copied"
    if stamp.exists() and stamp.read_text() == seen.hexdigest():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    for file in files:
        copy = folder / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    (folder / "setup.cfg").write_text(config)
    stamp.write_text(seen.hexdigest())
    return folder


def results(folder: Path) -> list[tuple[str, str]]:
    """Return the mutants that were not killed, with the reason, and say how many there were.

    A test that hangs kills nothing here: no change should make one hang.
    """
    said = printed(MUTMUT, "results", "--all", "true", cwd=folder)
    listed = re.findall(r"^ +(\S+): (.+)$", said, re.MULTILINE)
    if not listed or {"not checked", "check was interrupted by user"} & {how for _, how in listed}:
        raise SystemExit("Stopped before the end. The same command goes on from there.")
    alive = []
    for name, how in listed:
        if how != "killed":
            qualified, _, function = name.rpartition(".x")
            module = qualified.rpartition(".")[2]
            function = re.sub(r"__mutmut_\d+$", "", function).removeprefix("_")
            function = function.strip("ǁ").replace("ǁ", ".")
            diff = printed(MUTMUT, "show", name, cwd=folder).partition("@@")[2].splitlines()
            changes = [line[0] + line[1:].strip() for line in diff if line[:1] in ("-", "+")]
            entry = [f"### `{module}.{function}`", "```diff", *changes, "```"]
            alive.append(("\n".join(entry), how))
    sys.stdout.write(f"\n{len(listed)} mutants, of which {len(alive)} survived\n")
    return alive


def report(modules: list[str], alive: list[tuple[str, str]]) -> int:
    """Write what survived without a reason, and which reason is needed no more; return the code."""
    entries = re.findall(r"^### `.+?^```$", SURVIVORS.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    known = {entry for entry in entries if re.split(r"[`.]", entry)[1] in modules}
    faults = [f"Not killed ({how}):\n{entry}" for entry, how in alive if entry not in known]
    faults += [f"Explained, and does not survive:\n{entry}" for entry in known - dict(alive).keys()]
    sys.stdout.write("".join(f"\n{fault}\n" for fault in faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
