"""`rasa-ps7 simulate`: PS7 on this machine, if the copy of the plugin has a simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arguments import HelpText, add_command

if TYPE_CHECKING:
    import argparse

_EXAMPLES = {
    "simulate": "on a free port; what it prints goes into the action server's environment",
    "simulate --port 8099 --username bot --password -": "PS7 that refuses any other login; the "
    "password comes from stdin",
}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command, with the simulator's own options; nothing if testing/ is not there."""
    try:
        from ..testing.simulator.__main__ import ABOUT, add_options, run  # optional
    except ModuleNotFoundError:
        return
    about = "be PS7 on this machine, with made-up customers and faults"
    text = HelpText(about=about, details=f"{ABOUT}It ends with Ctrl+C.\n", examples=_EXAMPLES)
    add_options(add_command(commands, "simulate", run, text))
