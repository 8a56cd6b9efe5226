"""Mutation testing: mutmut changes the pure modules, one place at a time, and a test must fail.

Works on a copy, so that nothing of it is ever seen by the other checks. What was tried there counts
until a file of the copy changes: a run that was stopped goes on where it was. Knows nothing of what
the modules do; which tests run is said here, and what may survive in `survivors.md`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.mutants.survivors import MODULES, Mutant, explained

ROOT = Path(__file__).parents[2]
WORK = ROOT / ".mutants_cache"
TESTS = ("tests/unit", "tests/model/test_traces.py")
NEEDED = ("actions", "tests", "examples/channels", "pyproject.toml", "requirements/dev.txt")
LEAST_SCORE = 98
"""Percent of all mutants that a test must notice."""

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
    parser = argparse.ArgumentParser(description="Mutation testing of the pure modules.")
    parser.add_argument("modules", nargs="*", metavar="module", help=", ".join(MODULES))
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    if unknown := set(options.modules) - set(MODULES):
        parser.error(f"no module of ours: {', '.join(sorted(unknown))}")
    modules = [one for one in MODULES if one in options.modules or not options.modules]
    known = {one for one in explained() if one.module in modules}
    folder = prepare(modules)
    with suppress(KeyboardInterrupt):
        try_all(folder, options.jobs)
    return report(modules, known, *results(folder))


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
        tests="\n    ".join(TESTS),
        options="\n    ".join(OPTIONS),
    )
    seen = hashlib.sha256(f"{sys.version}{config}".encode())
    for file in files:
        seen.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    folder = WORK / ("-".join(modules) if len(modules) < len(MODULES) else "all")
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


def command(*arguments: str) -> list[str]:
    """Return the command line of the mutmut of this environment."""
    return [str(Path(sys.executable).with_name("mutmut")), *arguments]


def try_all(folder: Path, jobs: int) -> None:
    """Let mutmut run what it has not tried yet."""
    say("Running the tests once, to learn which of them reach which function")
    lines: list[str] = []
    tenth = 0
    run = command("run", "--max-children", str(jobs))
    with subprocess.Popen(
        run, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as running:
        for line in running.stdout or ():
            lines.append(line)
            if tried := re.search(r"(\d+)/(\d+) ", line):
                done, all_of_them = map(int, tried.groups())
                if done * 10 // all_of_them > tenth:
                    tenth = done * 10 // all_of_them
                    say(f"{done:5} of {all_of_them} mutants")
    if running.returncode:
        raise SystemExit("".join(lines[-60:]))


def results(folder: Path) -> tuple[Counter[str], list[tuple[Mutant, str]]]:
    """Return the number of mutants of each module, and those that were not killed, with the reason.

    A test that hangs kills nothing here: no change of a pure function should make one hang.
    """
    listed = ask(folder, "results", "--all", "true")
    number: Counter[str] = Counter()
    survivors = []
    unfinished = not listed
    for name, status in re.findall(r"^ +(\S+): (.+)$", listed, re.MULTILINE):
        qualified, _, function = name.rpartition(".x")
        module = qualified.rpartition(".")[2]
        number[module] += 1
        unfinished |= status in ("not checked", "check was interrupted by user")
        if status != "killed" and not unfinished:
            function = re.sub(r"__mutmut_\d+$", "", function).removeprefix("_")
            function = function.strip("ǁ").replace("ǁ", ".")
            diff = ask(folder, "show", name).partition("@@")[2]
            survivors.append((Mutant.read(f"{module}.{function}", diff), status))
    if unfinished:
        raise SystemExit("Stopped before the end. The same command goes on from there.")
    return number, survivors


def ask(folder: Path, *arguments: str) -> str:
    """Return what mutmut prints."""
    return subprocess.run(
        command(*arguments), cwd=folder, check=True, capture_output=True, encoding="utf-8"
    ).stdout


def report(
    modules: list[str], known: set[Mutant], number: Counter[str], alive: list[tuple[Mutant, str]]
) -> int:
    """Write the table, and what is wrong with it; return the exit code."""
    survivors = Counter(one.module for one, _ in alive)
    accounted = Counter(one.module for one, _ in alive if one in known)
    say("\nmodule        mutants   killed  survived  explained   score")
    for module in [*modules, "all"]:
        rows = modules if module == "all" else [module]
        total, survived, fine = (
            sum(counts[row] for row in rows) for counts in (number, survivors, accounted)
        )
        killed = total - survived
        score = 100 * killed / total
        say(f"{module:12} {total:8} {killed:8} {survived:9} {fine:10} {score:6.1f} %")
    faults = [f"Not killed ({why}):\n{one}" for one, why in alive if one not in known]
    gone = known - {one for one, _ in alive}
    faults += [f"Explained, and does not survive:\n{one}" for one in gone]
    if len(modules) == len(MODULES) and score < LEAST_SCORE:
        faults.append(f"Fewer than {LEAST_SCORE} % are noticed.")
    say(*(f"\n{fault}" for fault in faults))
    return 1 if faults else 0


def say(*lines: str) -> None:
    """Write lines at once: a run takes minutes."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
