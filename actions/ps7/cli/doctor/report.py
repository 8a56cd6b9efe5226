"""All that a visit found, as text for a person or as JSON for a machine, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ..output import Mark, Tone, Toned
from .finding import Finding, Level, listed

if TYPE_CHECKING:
    from ..output import Output

_MARKS = {Level.OK: Mark.OK, Level.WARNING: Mark.WARNING, Level.ERROR: Mark.ERROR}
_WORDS = {
    "dns": "DNS",
    "tcp": "TCP",
    "proxy": "the proxy",
    "tls": "TLS",
    "token": "the token",
    "ps7": "PS7 itself",
    "bot": "slots, rules and policies",
}


@dataclass
class Section:
    """What belongs together: the settings, the network, or the bot."""

    title: str
    findings: list[Finding] = field(default_factory=list)
    not_reached: list[str] = field(default_factory=list)
    """Checks that build on one which failed."""


@dataclass
class Report:
    """The sections, in order."""

    sections: list[Section] = field(default_factory=list)
    allowed: frozenset[str] = frozenset()
    """Names of findings that are as somebody wants them: they are said, and do not count."""

    def count(self, level: Level) -> int:
        """Count the findings of a level, but those that are allowed."""
        every = [finding for section in self.sections for finding in section.findings]
        return sum(each.level is level and each.id not in self.allowed for each in every)

    def passes(self, *, strict: bool) -> bool:
        """Tell whether there is no error, nor a warning where these count too."""
        warnings = self.count(Level.WARNING) if strict else 0
        return self.count(Level.ERROR) + warnings == 0

    def write(self, out: Output) -> None:
        """Write it for a person."""
        for section in self.sections:
            out.heading(section.title)
            for same, findings in groupby(section.findings, key=lambda finding: finding.do):
                *others, last = findings
                for finding in others:  # what all of them need is said once, below the last
                    out.finding(_MARKS[finding.level], _named(finding))
                out.finding(_MARKS[last.level], _named(last), same)
            if section.not_reached:
                names = listed([_WORDS[name] for name in section.not_reached])
                out.finding(Mark.SKIPPED, f"{names}, until this is repaired")
            out.line()
        errors, warnings = self.count(Level.ERROR), self.count(Level.WARNING)
        tone = Tone.BAD if errors else Tone.DOUBTFUL if warnings else Tone.GOOD
        out.line(Toned(f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}", tone))

    def as_json(self, *, strict: bool) -> dict[str, Any]:
        """Give it for a machine. `id` and `level` stay the same from version to version."""
        return {
            "passes": self.passes(strict=strict),
            "errors": self.count(Level.ERROR),
            "warnings": self.count(Level.WARNING),
            "findings": [
                {
                    "section": section.title.lower(),
                    "id": finding.id,
                    "level": finding.level.value,
                    "found": finding.found,
                    "do": finding.do or None,
                }
                for section in self.sections
                for finding in section.findings
            ],
            "not_checked": [name for section in self.sections for name in section.not_reached],
        }


def _named(finding: Finding) -> str:
    """Give the text of a finding, with the name by which it is looked for or allowed."""
    return finding.found if finding.level is Level.OK else f"{finding.found} [{finding.id}]"


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
