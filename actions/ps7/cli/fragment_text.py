# ruff: noqa: E501 - the lines are those of a YAML file
"""The words of the domain fragments that `rasa-ps7 domain` prints. Data: `domain` joins them."""

from __future__ import annotations

OSS_HEAD = """\
# What a bot merges to know its customer: the slots, actions and answers of the PS7 plugin.
#
# Rasa merges the files of a folder. Put this file into a folder of its own below that of your bot's
# domain files, as domain/ps7/domain.yml, and train with `rasa train --domain domain`. It brings no
# intent and no session_config, and no slot of it influences a prediction, so the rules and stories
# that you have keep their answers.
#
# The action writes the slots that are declared, and no other: this file is the configuration.
# Delete every slot that no answer and no action of yours needs, `ps7_status` and `ps7_context`
# excepted. What is not declared is in no tracker store, no log and no prompt. A bot's own actions do
# not need the slots at all: `verified_context(tracker)` gives them the customer.
#
# Let such an action tell account, CPF and the like, never a response that quotes a slot: where the
# action server is away, that tells an earlier customer's.
"""
CALM_HEAD = """\
# What a bot for Rasa Pro (CALM) merges to know its customer: the plugin's slots, actions and answers.
# It differs from the fragment for Rasa Open Source in this:
#
# - `type: controlled` is Rasa Pro's word for `type: custom`: no language model and no entity fills
#   such a slot, only actions do.
# - `shared_for_coexistence` keeps the customer where an NLU-based assistant runs beside the flows.
"""
CALM_GUARDED = """\
# - Only what can stand in a prompt is declared. Sub-agents and Enterprise Search are given every slot
#   that is set. So there is no `cpf`, `account`, `agency`, `phone_number`, `id_document` or
#   `ps7_payload` here: an action reads those from `verified_context(tracker)`.
"""
"""If prompts may show every slot."""
CALM_OPEN = """\
# - Sub-agents and Enterprise Search are given every slot that is set, so what is declared here can
#   stand in a prompt. An action reads the customer from `verified_context(tracker)` without a slot.
"""
"""Where one of them had better not."""
CALM_TAIL = """\
#
# No flow may `collect` one of these slots, and no flow guard may read one: on the first message,
# guards are read before any action has run. No response may quote one but `segment`: where the action
# server is away, that tells an earlier customer's.
"""
_START_HEAD = """\
#
# The customer is looked up as a session starts, and where a {script} says so. A turn with nothing to do
# calls no action. The bot has to add two things:
#
# - its own session start, in a module of its actions (with the wheel: `from rasa_ps7 import`):
#
#     from .ps7 import PS7SessionStart
#
#
#     class ActionSessionStart(PS7SessionStart):
#         pass
#
# - `action_ps7_context` as the first step of every {script} that needs the customer. Until it runs,
#   nothing notices another contextId, a time that is over, or a slot that something has overwritten.
"""
PT_NOTE = """\
#
# Slots of the plugin have other names here, and the action server has to know them:
#
#   PS7_SLOT_NAMES='{names}'
"""
_SEND_DOMAIN = """\
# `send_domain` matters to a bot whose endpoints.yml says `enable_selective_domain: true`: without the
# domain, the plugin cannot tell its slots from the bot's own"""
_OSS_ACTIONS = f"""{_SEND_DOMAIN}.
actions:
  - action_ps7_context: {{send_domain: true}} # runs by itself on every turn, see `ps7_status`
  - action_ps7_verify: {{send_domain: true}} # a rule calls it right before a sensitive step
  - action_ps7_forget: {{send_domain: true}} # a rule calls it to log out, or before a person takes over
"""
_WITH_SESSION_START = f"""{_SEND_DOMAIN}, and carries no customer over.
actions:
  # A subclass of PS7SessionStart: looks the customer up when a session starts.
  - action_session_start: {{{{send_domain: true}}}}
"""
_CALM_ACTIONS = f"""{_WITH_SESSION_START.format()}\
  - action_ps7_context: {{send_domain: true}} # runs by itself on every turn, see `ps7_status`
  - action_ps7_verify: {{send_domain: true}} # the first step of every flow that reads one of these slots
  - action_ps7_forget: {{send_domain: true}} # a flow calls it to log out
"""
_START_ACTIONS = f"""{_WITH_SESSION_START}\
  - action_ps7_context: {{{{send_domain: true}}}} # the first step of every {{script}} that needs the customer
  - action_ps7_verify: {{{{send_domain: true}}}} # right before a later step: it asks no server
  - action_ps7_forget: {{{{send_domain: true}}}} # logs out; also before a person takes over
"""
STATUS = """\
  # How the lookup ended, and so what the dialogue should do:
  #   ok           PS7 knows this context. It does not say that the person is authenticated.
  #   missing      no contextId came with the conversation: ask, or go on anonymously
  #   invalid      the contextId is not usable: as anonymous
  #   rejected     PS7 has no such context: as anonymous
  #   denied       PS7 refuses the bot's own credentials: hand over, alert operations
  #   unavailable  no answer from PS7: apologise; the next run tries again by itself
  #   expired      it was ok and its time is over: as missing
  #   tampered     something claims a customer whom PS7 never named: hand over, alert security
  #
"""
_EVERY_TURN = """\
  # The mapping makes `action_ps7_context` run on every user turn, before Rasa decides what to say.
  # It writes all slots of this file: the others need no action of their own.
"""
_START_STATUS = """\
  # No mapping runs an action here: what is listed above writes all slots of this file.
  #
  # Branch on this slot after `action_ps7_context`: in the action that answers, or by conditional
  # responses (`condition: - type: slot`). In front of it no {script} may ask for a value of this slot, for
  # it would still be that of before, and could keep the action from being run at all.
"""
_OSS_STATUS = """\
  #
  # Rules branch on this slot once it influences the conversation. Set `influence_conversation: true`
  # in your copy; or declare the slot again in a file that Rasa reads earlier, as
  # examples/oss-bot/domain/bot.yml does. Do it on purpose: stories that were written before the slot
  # existed may stop matching. Conditional responses (`condition: - type: slot`) read every slot
  # without it. `identification`, `security_device` and `token_status` are categorical, too.
"""
OSS_EVERY_TURN = ("", _OSS_ACTIONS, _EVERY_TURN + _OSS_STATUS)
CALM_EVERY_TURN = ("", _CALM_ACTIONS, _EVERY_TURN)
AT_SESSION_START = (_START_HEAD, _START_ACTIONS, _START_STATUS)
"""What differs between the recipes: of the head, the actions, and the lines above the status."""
CONTEXT = """\
  # The answer of PS7 itself, encrypted and bound to this conversation. The plugin alone reads it;
  # without it every turn would ask PS7 again.
"""
CUSTOMER = """\
  # Who the customer is. Zeros in front are kept: these are texts, never numbers.
"""
KNOWN = """\
  # How far the customer is known. Empty means unknown: treat it as the least of the values.
"""
EXPIRY = """\
  # Until when all this holds: ISO 8601, UTC.
"""
REST = """\
  # The rest of what PS7 says. Declare what an answer of yours needs, and only that.
"""
FIELDS = """\
  # And any field of the answer under its own name, as it was sent:
"""
RESPONSES = """\
# One answer for each outcome that wants one, named after it, and one that asks for the token. Word
# them as your brand speaks; delete those that no rule of yours says.
responses:
  utter_ps7_missing:
    - text: "Posso ajudar com informações gerais. Para falar da sua conta, abra esta conversa pelo aplicativo do banco."
  utter_ps7_invalid:
    - text: "Não reconheci a origem desta conversa. Para falar da sua conta, abra a conversa de novo pelo aplicativo do banco."
  utter_ps7_rejected:
    - text: "Não encontrei o seu atendimento. Para falar da sua conta, abra a conversa de novo pelo aplicativo do banco."
  utter_ps7_denied:
    - text: "Não consigo consultar os seus dados por aqui. Uma pessoa da nossa equipe vai continuar com você."
  utter_ps7_unavailable:
    - text: "Desculpe, não consigo consultar os seus dados agora. Tente de novo em alguns instantes."
  utter_ps7_expired:
    - text: "Por segurança, o seu acesso expirou. Para falar da sua conta, abra a conversa de novo pelo aplicativo do banco."
  utter_ps7_tampered:
    - text: "Por segurança, não posso continuar este atendimento por aqui. Uma pessoa da nossa equipe vai continuar com você."
  utter_ps7_ask_token:
    - text: "Para continuar, valide o seu token no aplicativo do banco e me chame de novo."
"""
