"""`rasa-ps7 doctor`: what it takes, what it writes for people and machines, how a user runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.ps7.cli.command import main
from tests.host.doctor_servers import SECRETS, bare_machine, behind_proxy, normal, wrong
from tests.host.loopback import TLS_IN_TESTS, http
from tests.support.command import command
from tests.support.doctor import assert_found
from tests.support.init_bots import lay_out
from tests.support.processes import ROOT

__all__ = ["bare_machine"]
pytestmark = TLS_IN_TESTS

Doctor = Callable[..., tuple[int, str]]
SETTINGS = """\
Settings
  ok       every setting is usable; PS7 is URL
  ok       PS7_SEAL_KEYS is set (1 key)
  ok       PS7_ARRIVAL_KEYS is set (1 key)
"""
BOT = {
    "domain/bot.yml": "session_config: {carry_over_slots_to_new_session: false}",
    "config.yml": "policies: [{name: RulePolicy, enable_fallback_prediction: false}]",
    "endpoints.yml": "action_endpoint: {url: 'http://localhost:5055/webhook'}",
    "actions/__init__.py": "import rasa_ps7",
}
"""A bot without a fault, once the plugin's domain.yml is merged."""
CALLS = "steps: [{action: action_ps7_context}, {action: action_answer}]"
RULE, FLOW = f"rules: [{{rule: Balance, {CALLS}}}]", f"flows: {{balance: {{{CALLS}}}}}"
AS_A_USER = f"""\
{SETTINGS}\
  ok       the certificate in PS7_CA_FILE (TRUSTME) is good until DAY: N days left

Network
  error    the proxy refuses the credentials in PS7_PROXY, or misses them (HTTP 407) [proxy-login]
           Write user and password into PS7_PROXY: http://user:password@host:port.
  skipped  PS7 itself, until this is repaired

1 error, no warnings
"""


@pytest.mark.usefixtures("bare_machine")
async def test_as_a_user_runs_it(tmp_path: Path) -> None:
    """`python -m actions.ps7 doctor`, with nothing in its environment but the settings."""
    refusal = http(status="407 Proxy Authentication Required")
    async with behind_proxy(refusal)(tmp_path) as variables:
        ended = await command("doctor", cwd=tmp_path, variables={**SECRETS, **variables})
    assert re.sub(r"https?://127.*(?=\n)", "URL", normal(ended.out), count=1) == AS_A_USER
    assert (ended.code, ended.err) == (1, "")


@pytest.fixture
def doctor(bare_machine: None, capsys: pytest.CaptureFixture[str]) -> Doctor:  # noqa: ARG001
    """What runs the command here; it returns the exit code, and what is written."""

    def run(line: str) -> tuple[int, str]:
        code = main(["doctor", *line.split()])
        out, err = capsys.readouterr()
        return code, out + err

    return run


@pytest.fixture
def usable(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:  # noqa: ARG001
    """Set what must be set, for a PS7 that is not there."""
    for name, value in {**SECRETS, "PS7_BASE_URL": "https://cec..example.com"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("usable")
def test_json_for_machines(doctor: Doctor) -> None:
    """Every finding with its id and level, and what was not looked at."""
    code, written = doctor("--json")
    out = json.loads(written)
    *settings, dns = out.pop("findings")
    assert out == {"passes": False, "errors": 1, "warnings": 0, "not_checked": ["ps7"]}
    assert (code, [each["id"] for each in settings]) == (
        *(1, ["settings", "seal-keys", "arrival-keys"]),
    )
    assert settings[1] == {
        "section": "settings",
        "id": "seal-keys",
        "level": "ok",
        "found": "PS7_SEAL_KEYS is set (1 key)",
        "do": None,
    }
    assert (dns["section"], dns["level"], dns["do"]) == (
        *("network", "error", "Check the name, and that the DNS of this machine knows it."),
    )


def test_settings_that_cannot_be_used_and_a_bot_that_cannot_be_read(
    usable: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    """What builds on them is not looked at, and that is said."""
    usable.setenv("PS7_USERNAME", "")
    usable.setenv("PS7_CLEAR_SLOTS", "planted")
    lay_out(Path(), {"domain.yml": "slots: ["})
    code, out = doctor("--bot .")
    assert code == 1
    assert out.count("[settings-") == 2  # the one about slots once, not with the bot again
    assert "\nNetwork\n  skipped  PS7 itself, until this is repaired\n" in out
    assert "\n  skipped  slots, rules and policies, until this is repaired\n" in out
    assert out.endswith("\n3 errors, no warnings\n")


def test_warnings_that_count_and_those_that_are_allowed(
    usable: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    """In text and in JSON; one that is allowed is shown all the same, and the others count."""
    out = SETTINGS.replace("URL", "https://cec..example.com") + "\nno errors, no warnings\n"
    assert doctor("--offline --strict") == (0, out)
    usable.setenv("PS7_PASWORD", "planted")
    usable.setenv("PS7_SEAL_KEYS", "")
    assert doctor("--offline")[0] == 0
    code, out = doctor("--offline --strict --json")
    found = json.loads(out)
    assert (code, found["passes"], found["errors"], found["warnings"]) == (1, False, 0, 2)
    allowed = "--offline --strict --allow settings-unknown"
    code, out = doctor(allowed)
    assert "changes nothing [settings-unknown]\n" in out
    assert (code, out.endswith("\nno errors, 1 warning\n")) == (1, True)
    code, out = doctor(f"{allowed} --allow seal-keys-unset")
    assert (code, out.endswith("\nno errors, no warnings\n")) == (0, True)


def test_advice_that_several_findings_share_is_written_once(doctor: Doctor) -> None:
    """Below the last of them."""
    quotes = "responses: {utter_a: [{text: '{cpf}'}], utter_b: [{text: '{account}'}]}"
    lay_out(Path(), {"domain.yml": f"slots: {{cpf: {{}}, account: {{}}}}\n{quotes}"})
    _, out = doctor("--domain . --only-bot")
    assert (out.count("[response-quotes]"), out.count("{conta_verificada}")) == (2, 1)


def test_options_that_do_not_fit(doctor: Doctor) -> None:
    """One line, and nothing is checked."""
    complaint = "--only-bot needs --bot or --domain: there is no bot to look at\n"
    assert doctor("--only-bot") == (1, complaint)
    complaint = "nowhere is no folder: --bot takes that of a bot\n"
    assert doctor("--bot nowhere") == (1, complaint)


@pytest.mark.usefixtures("usable")
def test_settings_and_bot_in_one_go(doctor: Doctor) -> None:
    """Settings are this folder's, also where the bot is in another; a file can be named instead."""
    domain = (ROOT / "domain.yml").read_text()
    bot = {".env": "PS7_PASSWORD=planted", "domain.yml": domain, "config.yml": "policies: []"}
    lay_out(Path(), {f"bot/{name}": text for name, text in bot.items()})
    lay_out(Path(), {"config.yml": "pipeline: [{name: CompactLLMCommandGenerator}]"})
    names = ["settings-elsewhere", "env-readable"]
    for options, found in (("", names), ("--config config.yml", [*names, "calm-personal"])):
        code, out = doctor(f"--offline --bot bot {options}")
        assert (code, re.findall(r" \[([a-z-]+)\]\n", out)) == (0, found)


@pytest.mark.parametrize("example", ["oss-bot", "oss-bot-session-start", "calm-bot"])
def test_the_example_bots_are_sound(example: str, doctor: Doctor) -> None:
    """They have no error, and no warning."""
    code, out = doctor(f"--bot {ROOT}/examples/{example} --only-bot --json")
    assert (code, wrong(out)) == (0, [])


@pytest.mark.parametrize("flavour", ["--oss", "--calm"])
@pytest.mark.parametrize("portuguese", ["", "--pt"])
def test_the_fragment_that_a_command_prints_is_sound(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    doctor: Doctor,
    flavour: str,
    portuguese: str,
) -> None:
    """Also with Portuguese names, once PS7_SLOT_NAMES is what its comment says."""
    main(["domain", flavour, *portuguese.split()])
    fragment = capsys.readouterr().out
    lay_out(Path(), {"ps7.yml": fragment, "bot.yml": BOT["domain/bot.yml"]})
    line = "--domain ps7.yml --domain bot.yml --only-bot --json --strict"
    if portuguese:
        code, out = doctor(line)
        assert code == 1
        assert_found(wrong(out), ["warning slot-name: "])
        (names,) = re.findall(r"PS7_SLOT_NAMES='(.*)'", fragment)
        monkeypatch.setenv("PS7_SLOT_NAMES", names)
    code, out = doctor(line)
    assert (code, wrong(out)) == (0, [])


@pytest.mark.parametrize(("flavour", "script"), [("--oss", RULE), ("--calm", FLOW)])
def test_the_fragment_for_a_session_start_is_sound_with_what_its_comment_asks_for(
    capsys: pytest.CaptureFixture[str], doctor: Doctor, flavour: str, script: str
) -> None:
    """The class as it stands there, and one rule or flow that calls the look-up first."""
    main(["domain", flavour, "--at-session-start"])
    fragment = capsys.readouterr().out
    code = "".join(re.findall(r"^#     (.*\n)", fragment, re.MULTILINE))
    asked = {"domain/ps7.yml": fragment, "actions/session.py": code, "data/all.yml": script}
    lay_out(Path(), {**BOT, **asked})
    for expected in ([], ["error session-start-missing: the domain lists action_session_start"]):
        _, out = doctor("--bot . --only-bot --strict --json")
        assert_found(wrong(out), expected)
        Path("actions/session.py").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("setting", "more", "expected"),
    [
        ('PS7_SLOT_NAMES={"agency": "agencia"}', "", "error slot-names: PS7_SLOT_NAMES calls "),
        ('PS7_CLEAR_SLOTS=["saldo"]', "", "warning clear-slots: PS7_CLEAR_SLOTS names saldo, "),
        ("PS7_SLOT_NAMES=planted", "", "error settings-bad: PS7_SLOT_NAMES cannot be used; "),
        ("PS7_MAX_AGE=3600", "", None),  # Rasa's own time is 60 minutes
        ("PS7_MAX_AGE=3601", "", "warning max-age: PS7_MAX_AGE is 3601 s, and a session ends"),
        ("PS7_MAX_AGE=901", "session_expiration_time: 15", "warning max-age: PS7_MAX_AGE is 901"),
        ("PS7_MAX_AGE=7200", "session_expiration_time: 0", None),  # without end
    ],
)
def test_settings_that_concern_the_bot_are_checked_with_it_alone_too(
    monkeypatch: pytest.MonkeyPatch, doctor: Doctor, setting: str, more: str, expected: str | None
) -> None:
    """One that cannot be used is named, and the bot is checked all the same."""
    variable, _, value = setting.partition("=")
    monkeypatch.setenv(variable, value)
    lay_out(Path(), {"more.yml": f"session_config: {{{more}}}"})
    _, out = doctor(f"--domain {ROOT}/domain.yml --domain more.yml --only-bot --json")
    assert_found(wrong(out), [expected] if expected else [])
