"""`rasa-ps7 simulate`: PS7 on this machine, if the copy of the plugin has a simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arguments import add_command

if TYPE_CHECKING:
    import argparse


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command, with the simulator's own options; nothing if testing/ is not there."""
    try:
        from ..testing.simulator.__main__ import ABOUT, add_options, run  # optional
    except ModuleNotFoundError:
        return
    add_options(add_command(commands, "simulate", run, about=ABOUT))
