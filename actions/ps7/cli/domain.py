"""`rasa-ps7 domain`: the domain fragment to merge, as a bot wants it."""

from __future__ import annotations

import argparse

from ..slots import CUSTOMER_SLOTS, is_personal
from .arguments import HelpText, add_command
from .fragment import CALM, OSS, fragment, is_slot
from .output import Output

_HELP = HelpText(
    about="print the domain fragment that a bot merges",
    details=f"""\
Print the slots, actions and answers of the plugin as a domain file for Rasa Open Source (--oss) or
Rasa Pro with CALM (--calm). Put it into a folder of its own below that of your domain files: Rasa
merges them. `rasa-ps7 init` does so, and what else a bot needs.

The lookup runs on every turn by itself. With --at-session-start it runs as a session starts, and
where a rule or flow calls it: a turn with nothing to do then calls no action, and a comment in the
file says what the bot has to add. Rasa pays for each slot in each turn, so declare few there.

--slots chooses what of the customer is declared, for what is not declared is never written;
ps7_status and ps7_context are always there. It can name {", ".join(CUSTOMER_SLOTS)},
and any field of PS7's answer, such as u_display.

--pt gives the slots Portuguese names (agencia, conta, segmento, ...); a comment in the file says
what PS7_SLOT_NAMES must then be on the action server.
""",
    examples={
        "domain --oss > domain/ps7/domain.yml": "the usual slots, for Rasa Open Source; then "
        "`rasa train --domain domain`",
        "domain --oss --slots segment,cpf_masked": "only what is shown to a customer",
        "domain --oss --at-session-start": "for a bot whose later turns call no action",
        "domain --calm --pt": "for Rasa Pro, with Portuguese names",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    parser = add_command(commands, "domain", run, _HELP)
    flavour = parser.add_mutually_exclusive_group(required=True)
    flavour.add_argument(
        "--oss", dest="flavour", action="store_const", const=OSS, help="for Rasa Open Source"
    )
    flavour.add_argument(
        "--calm", dest="flavour", action="store_const", const=CALM, help="for Rasa Pro with CALM"
    )
    parser.add_argument(
        "--at-session-start", action="store_true", help="look up there, and not on every turn"
    )
    parser.add_argument("--slots", type=slots, metavar="A,B", help="which slots of the customer")
    parser.add_argument("--pt", action="store_true", help="Portuguese names")


def run(options: argparse.Namespace) -> int:
    """Print the fragment; where a customer can stand in prompts then, warn beside it."""
    out = Output()
    recipe = {"portuguese": options.pt, "at_session_start": options.at_session_start}
    out.raw(fragment(options.flavour, options.slots, **recipe))
    told = sorted({name for name in options.slots or () if is_personal(name)})
    if options.flavour is CALM and told:
        out.note(
            f"note: {', '.join(told)} can stand in prompts now; an action can read the customer "
            "from verified_context(tracker) instead"
        )
    return 0


def slots(text: str) -> list[str]:
    """Read the names of slots. ArgumentTypeError, in argparse's own way, for one that is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if not is_slot(name)]
    if unknown:
        raise argparse.ArgumentTypeError(f"no slot of the customer: {', '.join(unknown)}")
    return names
