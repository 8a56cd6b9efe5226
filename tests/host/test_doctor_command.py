"""`rasa-ps7 doctor`: what it takes, what it writes for people and machines, how a user runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import trustme

from actions.ps7.cli.doctor import bot as doctor
from tests.support.command import Cli
from tests.support.doctor import SECRETS, assert_found, wrong, wrong_in
from tests.support.init_bots import lay_out
from tests.support.processes import ROOT

SETTINGS = """\
Settings
  ok       every setting is usable; PS7 is URL
  ok       PS7_SEAL_KEYS is set (1 key)
  ok       PS7_ARRIVAL_KEYS is set (1 key)
"""


@pytest.fixture
def usable(isolated: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what must be set, for a PS7 that is not there."""
    for name, value in {**SECRETS, "PS7_BASE_URL": "https://cec..example.com"}.items():
        isolated.setenv(name, value)
    return isolated


def test_doctor_json_has_every_finding_and_what_was_not_checked(
    usable: pytest.MonkeyPatch, cli: Cli
) -> None:
    """Every finding with its id and level, and what was not looked at."""
    trustme.CA().cert_pem.write_to_path("ca.pem")
    usable.setenv("PS7_CA_FILE", "ca.pem")
    code, written, _ = cli("doctor --json")
    out = json.loads(written)
    found = {each.pop("id"): each for each in out.pop("findings")}
    assert (code, [*found]) == (1, ["settings", "seal-keys", "arrival-keys", "authority", "dns"])
    assert out == {"passes": False, "errors": 1, "warnings": 0, "not_checked": ["ps7"]}
    seal_keys = {"section": "settings", "level": "ok", "found": "PS7_SEAL_KEYS is set (1 key)"}
    assert found["seal-keys"] == {**seal_keys, "do": None}
    assert (found["dns"]["section"], found["dns"]["level"]) == ("network", "error")
    assert found["dns"]["do"].startswith("Check the name, ")


def test_what_builds_on_unusable_settings_is_skipped(usable: pytest.MonkeyPatch, cli: Cli) -> None:
    """What builds on them is not looked at, and that is said."""
    usable.setenv("PS7_USERNAME", "")
    usable.setenv("PS7_CLEAR_SLOTS", "planted")
    lay_out(Path(), {"domain.yml": "slots: ["})
    code, out, _ = cli("doctor --bot .")
    assert code == 1
    assert out.count("[settings-") == 2  # the one about slots once, not with the bot again
    assert "\nNetwork\n  skipped  PS7 itself, until this is repaired\n" in out
    assert "\n  skipped  slots, rules and policies, until this is repaired\n" in out
    assert out.endswith("\n3 errors, no warnings\n")


def test_strict_counts_warnings_but_those_allowed_by_name(
    usable: pytest.MonkeyPatch, cli: Cli
) -> None:
    """In text and in JSON; one that is allowed is shown all the same, and the others count."""
    out = SETTINGS.replace("URL", "https://cec..example.com") + "\nno errors, no warnings\n"
    assert cli("doctor --offline --strict") == (0, out, "")
    usable.setenv("PS7_PASWORD", "planted")
    usable.setenv("PS7_SEAL_KEYS", "")
    code, out, _ = cli("doctor --offline --strict --json")
    found = json.loads(out)
    assert (code, found["errors"], found["warnings"]) == (1, 0, 2)
    assert not found["passes"]
    allowed = "doctor --offline --strict --allow settings-unknown"
    code, out, _ = cli(allowed)
    assert "changes nothing [settings-unknown]\n" in out
    assert code == 1
    assert out.endswith("\nno errors, 1 warning (1 allowed)\n")
    out = cli(f"{allowed} --allow seal-keys-unset").done()
    assert out.endswith("\nno errors, no warnings (2 allowed)\n")


def test_only_bot_without_a_bot_is_refused(cli: Cli) -> None:
    """One line, and nothing is checked."""
    complaint = "--only-bot needs --bot or --domain: there is no bot to look at\n"
    assert cli("doctor --only-bot") == (1, "", complaint)


@pytest.mark.usefixtures("usable")
def test_the_doctor_reads_settings_here_and_the_bot_elsewhere(cli: Cli) -> None:
    """Settings are this folder's, also where the bot is in another; a file can be named instead."""
    domain = (ROOT / "domain.yml").read_text()
    bot = {".env": "PS7_PASSWORD=planted", "domain.yml": domain, "config.yml": "policies: []"}
    bot["endpoints.yml"] = "action_endpoint: {url: 'http://127.0.0.1:9'}"
    lay_out(Path(), {f"bot/{name}": text for name, text in bot.items()})
    lay_out(Path(), {"config.yml": "pipeline: [{name: CompactLLMCommandGenerator}]"})
    names = ["settings-elsewhere", "env-readable"]
    for options, found in (
        ("--offline", names),
        ("--offline --config config.yml", [*names, "calm-personal"]),
        ("--only-bot", ["env-readable"]),
    ):
        code, out, _ = cli(f"doctor --bot bot {options}")
        assert (code, re.findall(r" \[([a-z-]+)\]\n", out)) == (0, found)


@pytest.mark.parametrize("example", ["oss-bot", "oss-bot-session-start", "calm-bot"])
def test_the_example_bots_are_sound(example: str, cli: Cli) -> None:
    """They have no error, and no warning."""
    assert wrong_in(cli(f"doctor --bot {ROOT}/examples/{example} --only-bot --json").done()) == []


@pytest.mark.parametrize(
    ("setting", "value", "minutes", "expected"),
    [
        ("SLOT_NAMES", '{"agency": "agencia"}', None, "error slot-names: ROOT/domain.yml declares"),
        ("SLOT_NAMES", "planted", None, "error settings-bad: PS7_SLOT_NAMES cannot be used"),
        ("CLEAR_SLOTS", '["saldo"]', None, "warning clear-slots: PS7_CLEAR_SLOTS names saldo, "),
        ("MAX_AGE", "3600", None, None),  # Rasa's own time is 60 minutes
        ("MAX_AGE", "3601", None, "warning max-age: PS7_MAX_AGE is 3601 s, and a session ends"),
        ("MAX_AGE", "901", 15, "warning max-age: PS7_MAX_AGE is 901"),
        ("MAX_AGE", "7200", 0, None),  # without end
        ("METADATA_KEYS", '["cvg_body.a"]', None, None),
        ("METADATA_KEYS", '["a"]', None, "warning channel-path: VIER's channel puts metadata"),
    ],
)
def test_settings_that_concern_the_bot_are_checked_with_it(
    isolated: pytest.MonkeyPatch, setting: str, value: str, minutes: int | None, expected: str
) -> None:
    """As they are set here."""
    isolated.setenv(f"PS7_{setting}", value)
    config = {} if minutes is None else {"session_expiration_time": minutes}
    lay_out(Path(), {"more.yml": json.dumps({"session_config": config})})
    sources = {"domain": [ROOT / "domain.yml", Path("more.yml")]}
    if setting == "METADATA_KEYS":
        lay_out(Path(), {"credentials.yml": "bank.CVGInput: {}"})
        sources["credentials"] = [Path("credentials.yml")]
    found = wrong(doctor.check(sources).findings)
    assert_found(found, [expected.replace("ROOT", str(ROOT))] if expected else [])
