"""`rasa-ps7 doctor --bot`: files of a bot with a fault each. It names that one, and no other."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.command import main
from tests.host.doctor_servers import bare_machine, named, summary
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["bare_machine"]

BOT = {
    "domain/bot.yml": """\
version: "3.1"
intents: [greet]
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: false}
responses:
  utter_greet: [{text: "Olá"}]
""",
    "config.yml": """\
recipe: default.v1
policies: [{name: RulePolicy, enable_fallback_prediction: false}]
""",
    "data/rules.yml": """\
version: "3.1"
rules: [{rule: Greet, steps: [{intent: greet}, {action: utter_greet}]}]
""",
    "endpoints.yml": "action_endpoint: {url: 'http://localhost:5055/webhook'}\n",
    "actions/__init__.py": "import rasa_ps7\n",
}
"""A bot that has merged the plugin's domain.yml as it is."""
MAPPED = "      - type: custom\n        action: action_ps7_context\n"
DECLARED = """\
  ok       the domain declares account, agency, cpf, cpf_masked, identification, ivr_option, \
ps7_context, ps7_expires_at, ps7_status, security_device, segment and token_status of ours; not \
declared, and so never written: phone_number, id_document, ps7_key, ps7_decoded_context_id and \
ps7_payload
"""
READ = "Bot\n  ok       the domain was read, from 2 files\n"
RUNS = "  ok       action_ps7_context is run by slot ps7_status (on every turn)\n"
SESSION = """\
  ok       a new session starts without the last one's slots (carry_over_slots_to_new_session: \
false)
"""


def without_slot(name: str) -> Callable[[str], str]:
    declared = re.compile(rf"  {name}:.*?(?=\n  \w|\n\n)", re.DOTALL)
    return lambda domain: declared.sub("", domain, count=1)


def changed(old: str, new: str) -> Callable[[str], str]:
    def change(domain: str) -> str:
        assert old in domain
        return domain.replace(old, new, 1)

    return change


@dataclass
class BotCase:
    """A bot with a fault, and what must be said about it."""

    name: str
    names: tuple[str, ...]
    """Those of the findings that are no good news."""
    expected: str
    code: int = 1
    change: Callable[[str], str] = lambda domain: domain
    """What became of the plugin's domain.yml."""
    files: dict[str, str] = field(default_factory=dict)
    """What stands in the bot's other files instead."""
    settings: dict[str, str] = field(default_factory=dict)


BOTS = [
    BotCase("well", (), READ + DECLARED + RUNS + SESSION + summary(0, 0), code=0),
    BotCase(
        "context-missing",
        ("slot-context-missing",),
        READ
        + """\
  error    slot ps7_context is not declared: nothing is kept, and every turn asks PS7 again
           Merge the plugin's domain.yml, or take the slot over from it.
"""
        + DECLARED.replace("ps7_context, ", "").replace("written: ", "written: ps7_context, ")
        + RUNS
        + SESSION
        + summary(),
        change=without_slot("ps7_context"),
    ),
    BotCase(
        "runs-never",
        ("runs-never",),
        READ
        + DECLARED
        + """\
  error    nothing runs action_ps7_context
           Merge the plugin's domain.yml, whose slot ps7_status has the mapping `type: custom, \
action: action_ps7_context`, which needs no rule (Rasa Pro: `type: controlled, \
run_action_every_turn: action_ps7_context`).
"""
        + SESSION
        + summary(),
        change=changed(MAPPED, "      - type: custom\n"),
    ),
    BotCase(
        "values",
        ("slot-values",),
        READ
        + DECLARED
        + """\
  error    slot ps7_status lacks the value tampered: the dialogue will not see it when it comes
           Declare it with `values: [ok, missing, invalid, rejected, denied, unavailable, expired, \
tampered]`.
"""
        + RUNS
        + SESSION
        + summary(),
        change=changed(", tampered]", "]"),
    ),
    BotCase(
        "filled-elsewhere",
        ("slot-filled-elsewhere",),
        READ.replace("2", "3")
        + DECLARED
        + """\
  error    form card_form asks for slot cpf, filled by from_text: it is the bot's own, and the \
plugin leaves it alone
           To have both, declare `customer_cpf` with the mapping `type: custom` and set \
PS7_SLOT_NAMES={"cpf": "customer_cpf"}; to have the plugin's alone, leave `type: custom` as the \
only mapping of cpf, and ask for it in no form.
"""
        + RUNS
        + SESSION
        + summary(),
        files={
            "domain/form.yml": "slots: {cpf: {type: text, influence_conversation: false, "
            "mappings: [{type: from_text}]}}\nforms: {card_form: {required_slots: [cpf]}}\n"
        },
    ),
    BotCase(
        "domain-not-sent",
        ("domain-not-sent",),
        READ
        + DECLARED
        + RUNS
        + """\
  error    endpoints.yml sets `enable_selective_domain`, and action_ps7_verify asks for no domain: \
rasa-sdk 3.21 refuses the call, an older one runs it and no slot is known to be the bot's own
           List it as `- action_ps7_verify: {send_domain: true}`.
"""
        + SESSION
        + summary(),
        change=changed("action_ps7_verify: {send_domain: true}", "action_ps7_verify"),
        files={
            "endpoints.yml": "action_endpoint: {url: http://localhost:5055/webhook, "
            "enable_selective_domain: true}\n"
        },
    ),
    BotCase(
        "featurised",
        ("slot-featurised",),
        READ
        + DECLARED
        + RUNS
        + """\
  warning  ps7_status influences the conversation, and MemoizationPolicy learns from stories that \
were written without: they may stop matching
           Declare it with `influence_conversation: false` and branch in conditional responses, or \
write `slot_was_set` into the stories.
"""
        + SESSION
        + summary(0, 1),
        code=0,
        change=changed(f"false\n    mappings:\n{MAPPED}", f"true\n    mappings:\n{MAPPED}"),
        files={
            "config.yml": "policies: [{name: MemoizationPolicy}]\n",
            "data/stories.yml": "stories: [{story: S, steps: [{intent: greet}]}]\n",
        },
    ),
    BotCase(
        "condition-ignored",
        ("condition-ignored", "value-unknown"),
        READ
        + DECLARED
        + RUNS
        + """\
  error    slot ps7_status does not influence the conversation, so its condition is ignored in \
rule “Greet”
           Declare ps7_status with `influence_conversation: true`.
  error    rule “Greet” waits for ps7_status to be okay, which it never is
           It is one of ok, missing, invalid, rejected, denied, unavailable, expired and tampered.
"""
        + SESSION
        + summary(2),
        files={
            "data/rules.yml": "rules: [{rule: Greet, condition: [{slot_was_set: [{ps7_status: "
            "okay}]}], steps: [{intent: greet}, {action: utter_greet}]}]\n"
        },
    ),
    BotCase(
        "validation",
        ("slot-validation",),
        READ
        + DECLARED
        + RUNS
        + """\
  warning  the domain lists action_validate_slot_mappings: it is shown what our action writes, and \
may change it
           Let it leave the plugin's slots alone; what it changes is put back on the next run.
"""
        + SESSION
        + summary(0, 1),
        code=0,
        change=changed("actions:\n", "actions:\n  - action_validate_slot_mappings\n"),
    ),
    BotCase(
        "fallback",
        ("fallback-rewinds",),
        READ
        + DECLARED
        + RUNS
        + """\
  warning  where no rule fits, RulePolicy runs action_default_fallback: it takes back what the \
lookup of that turn wrote, until the next run
           Set `enable_fallback_prediction: false` and answer `nlu_fallback` by a rule.
"""
        + SESSION
        + summary(0, 1),
        code=0,
        files={"config.yml": "policies: [{name: RulePolicy}]\n"},
    ),
    BotCase(
        "names",
        ("slot-names", "clear-slots"),
        READ
        + DECLARED.replace("agency, ", "").replace("written: ", "written: agency, ")
        + """\
  error    PS7_SLOT_NAMES calls agency agencia, and the domain declares no agencia, but agency, \
which is not written any more
           Rename the slot in the domain, or correct what PS7_SLOT_NAMES says of agency.
  warning  PS7_CLEAR_SLOTS names saldo, which the domain does not declare
           Correct the name: a slot that stays behind shows one customer's data to the next.
"""
        + RUNS
        + SESSION
        + summary(1, 1),
        settings={"PS7_SLOT_NAMES": '{"agency": "agencia"}', "PS7_CLEAR_SLOTS": '["saldo"]'},
    ),
    BotCase(
        "quotes",
        ("response-quotes", "response-quotes"),
        READ
        + DECLARED
        + RUNS
        + SESSION
        + """\
  warning  response utter_account quotes agency and account: where the action server is away, Rasa \
fills in what is left of the turn before, and an earlier customer's data are told
  warning  response utter_cpf quotes cpf_masked: where the action server is away, Rasa fills in \
what is left of the turn before, and an earlier customer's data are told
           Let an action say it that reads `verified_context`, and fill in variables that are no \
slot names, such as {conta_verificada}.
"""
        + summary(0, 2),
        code=0,
        files={
            "domain/bot.yml": """\
session_config: {carry_over_slots_to_new_session: false}
responses:
  utter_account: [{text: "Agência {agency}, conta {account}"}, {text: "Não sei."}]
  utter_cpf: [{text: "CPF {cpf_masked}"}]
  utter_greet: [{text: "Olá, {segment}"}]
  utter_balance: [{text: "Conta {conta_verificada}: {balance}"}]
"""
        },
    ),
    BotCase(
        "prompts",
        ("calm-personal", "flow-writes"),
        READ
        + DECLARED
        + RUNS
        + SESSION
        + """\
  warning  cpf, agency and account can stand in a prompt: Rasa Pro shows set slots to sub-agents \
and Enterprise Search
           Remove them from the domain (cpf_masked may stay), and read the customer from \
`verified_context` in an action.
  error    flow balance collects slot account: what the model makes of a message stands where \
PS7's word should
           Use a slot of the bot's own, and let actions alone write this one.
"""
        + summary(1, 1),
        files={
            "config.yml": "policies: [{name: FlowPolicy}]\n",
            "data/rules.yml": "flows: {balance: {steps: [{collect: account}]}}\n",
        },
    ),
    BotCase(
        "code-and-endpoints",
        ("endpoint-missing", "plugin-missing"),
        READ
        + """\
  error    endpoints.yml names no action server: Rasa runs no action of ours
           Add `action_endpoint:` with `url: http://localhost:5055/webhook`, or where it is.
  warning  bot/actions has no copy of the plugin and imports none
           Copy actions/ps7 into it, or `import rasa_ps7` in its __init__.py; unless the action \
server is started with `--actions rasa_ps7`.
"""
        + DECLARED
        + RUNS
        + SESSION
        + summary(1, 1),
        files={"endpoints.yml": "", "actions/__init__.py": ""},
    ),
    BotCase(
        "session",
        ("session-carry-over",),
        READ
        + DECLARED
        + RUNS
        + """\
  warning  the domain does not say whether a new session keeps the last one's slots, and Rasa \
keeps them: on a device that people share, the next one meets the last one's customer
           Set `carry_over_slots_to_new_session: false` under `session_config:`; or true, where \
one sender id is always one person.
"""
        + summary(0, 1),
        code=0,
        files={"domain/bot.yml": "intents: [greet]\n"},
    ),
    BotCase(
        "unreadable",
        ("file-unreadable",),
        """\
Bot
  error    bot/domain/bot.yml cannot be read as YAML (line 2)
           Correct it; Rasa does not take it either.
  skipped  slots, rules and policies, until this is repaired
"""
        + summary(),
        files={"domain/bot.yml": "intents:\n\t- planted\n"},
    ),
    BotCase(
        "settings-about-slots",
        ("settings-bad",),
        """\
Bot
  error    PS7_SLOT_NAMES cannot be used; it expects a JSON object from our slot names to yours, \
such as {"agency": "agencia"}, no name twice
           Correct it.
"""
        + READ.removeprefix("Bot\n")
        + DECLARED
        + RUNS
        + SESSION
        + summary(),
        settings={"PS7_SLOT_NAMES": "planted"},
    ),
    BotCase(
        "nothing",
        ("domain-none",),
        """\
Bot
  error    there is no domain to look at
           Give the file or folder that `rasa train --domain` is given.
  skipped  slots, rules and policies, until this is repaired
"""
        + summary(),
        change=lambda _: "",
        files={"domain/bot.yml": ""},
    ),
]


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("case", BOTS, ids=lambda case: case.name)
def test_the_fault_of_a_bot_is_named_and_nothing_else(
    case: BotCase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Word for word, without any settings but those about slots."""
    domain = case.change((ROOT / "domain.yml").read_text())
    for name, content in {**BOT, "domain/ps7/domain.yml": domain, **case.files}.items():
        file = tmp_path / "bot" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    for name, value in case.settings.items():
        monkeypatch.setenv(name, value)
    code = main(["doctor", "--bot", "bot", "--only-bot"])
    out, err = capsys.readouterr()
    text, names = named(out)
    assert text == case.expected
    assert (code, err, names) == (case.code, "", case.names)


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("flavour", ["--oss", "--calm"])
@pytest.mark.parametrize("portuguese", [False, True])
def test_the_fragment_that_a_command_prints_is_sound(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flavour: str,
    portuguese: bool,
) -> None:
    """Also with Portuguese names, once PS7_SLOT_NAMES is what its comment says."""
    main(["domain", flavour, *(["--pt"] if portuguese else [])])
    fragment = capsys.readouterr().out
    (tmp_path / "ps7.yml").write_text(fragment)
    (tmp_path / "bot.yml").write_text(BOT["domain/bot.yml"])
    if portuguese:
        assert main(["doctor", "--domain", ".", "--only-bot", "--strict"]) == 1
        assert named(capsys.readouterr().out)[1] == ("slot-name",)
        (names,) = re.findall(r"PS7_SLOT_NAMES='(.*)'", fragment)
        monkeypatch.setenv("PS7_SLOT_NAMES", names)
    assert main(["doctor", "--domain", ".", "--only-bot", "--strict"]) == 0
    assert named(capsys.readouterr().out)[1] == ()
