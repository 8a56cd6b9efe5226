"""`rasa-ps7 simulate`: PS7 on this machine. This is the simulator's door."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..testing.simulator.command import ABOUT, add_options, run
from .arguments import HelpText, add_command

if TYPE_CHECKING:
    import argparse

_HELP = HelpText(
    about="be PS7 on this machine, with made-up customers and faults",
    details=f"{ABOUT}It ends with Ctrl+C.\n",
    examples={
        "simulate": "on a free port; what it prints goes into the action server's environment",
        "simulate --port 8099": "on a port of your choice",
        "simulate --port 8099 --username bot --password secret": "PS7 that refuses any other login",
    },
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command, with the simulator's own options."""
    add_options(add_command(commands, "simulate", run, _HELP))
