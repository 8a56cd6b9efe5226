"""Commands as documents show them, taken apart as a shell does. Nothing is run."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

_COMMENT = re.compile(r"(?m)(^|\s)#[^'\"\n]*$")
_OPERATORS = {"&&", "||", "|", ";", "&", "\n"}
_REDIRECTIONS = {">", ">>", "<"}
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)


@dataclass
class Command:
    """One simple command: the variables set for it, its words, and the files it writes or reads."""

    words: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)

    @property
    def program(self) -> str:
        """Its name, without the folder in which it lies; empty where only variables are set."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    @property
    def arguments(self) -> list[str]:
        """What comes after the program."""
        return self.words[1:]


def commands(code: str) -> list[Command]:
    """Take a block apart. A quote that nobody closes raises ValueError, as it stops a shell."""
    text = _COMMENT.sub(r"\1", code).replace("\\\n", " ")
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace = " \t\r"
    lexer.commenters = ""
    lexer.whitespace_split = True
    found = [Command()]
    words = iter(lexer)
    for word in words:
        command = found[-1]
        variable = _ASSIGNMENT.fullmatch(word)
        if word.strip(" \n") == "" or word.strip("\n") in _OPERATORS:
            found.append(Command())
        elif word in _REDIRECTIONS:
            command.files.append(next(words))
        elif variable and not command.words:
            command.variables[variable[1]] = variable[2]
        else:
            command.words.append(word)
    return [command for command in found if command.words or command.variables]
