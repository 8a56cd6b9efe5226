"""The account of the attacks: one for a whole run, also where workers share the tests."""

from __future__ import annotations

import pytest

from tests.support.processes import ROOT

ATTACKS = """
    from tests.security.attack import Attacker

    def test_attacks(ledger):
        ledger.tried("seals", 2, 0)
        ledger.tried("{family}", 3, 1)
        ledger.succeeded(Attacker.CHANNEL, "{family} of a friend", "a channel")
"""
ACCOUNT = [
    "attacks in scope                                         tried  accepted",
    "  cut tokens                                                 3         1",
    "  doors                                                      3         1",
    "  seals                                                      4         0",
    "  all                                                       10         2",
    "attacks out of scope: 2, which succeed",
    "  whoever can post to the channel",
]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_attack_is_counted_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    """Whichever process tried it."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    pytester.makepyfile(
        test_one=ATTACKS.format(family="doors"), test_two=ATTACKS.format(family="cut tokens")
    )
    done = pytester.runpytest_subprocess(
        *("-p", "tests.security.account", "--numprocesses", workers, "--dist", "loadfile")
    )
    begin = next(at for at, line in enumerate(done.outlines) if "attacks on the action" in line)
    end = begin + 1 + len(ACCOUNT)
    assert done.outlines[begin + 1 : end] == ACCOUNT
    assert sorted(done.outlines[end : end + 2]) == [
        "    - cut tokens of a friend. It takes a channel.",
        "    - doors of a friend. It takes a channel.",
    ]
    done.assert_outcomes(passed=2)
