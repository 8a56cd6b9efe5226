"""`python -m rasa_ps7`: the command `rasa-ps7`, wherever the folder of the plugin lies."""

import sys


def main() -> int:
    """Run the command, or report that the folder was copied without it."""
    try:
        from .cli.command import main as command  # noqa: PLC0415 - an optional room
    except ModuleNotFoundError as error:
        if error.name != f"{__package__}.cli":
            raise
        sys.stderr.write("The command is not installed here: this copy of rasa-ps7 has no cli/.\n")
        return 2
    return command()


if __name__ == "__main__":
    sys.exit(main())
