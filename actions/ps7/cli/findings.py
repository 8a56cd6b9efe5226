"""What the doctor finds, as text for a person or as JSON for a machine, and the exit code.

Its words are in `findings.txt`.

No text of a finding has a secret or a contextId: names of variables, slots, files, hosts and
certificates are what it may show.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from .output import Mark, Tone, Toned
from .texts import parts

if TYPE_CHECKING:
    from .output import Output

_LONGEST = 100
_NOT_REACHED = {"ps7": "PS7 itself", "bot": "slots, rules and policies"}


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    id: str
    """A short name that stays the same from version to version, for machines."""
    level: Mark
    found: str
    """What is the case, in one sentence."""
    do: str = ""
    """What to do about it, in one sentence or two; empty if all is well."""


def finding(key: str, **filled: object) -> Finding:
    """Return the finding that `findings.txt` has under a name, with what fills its gaps."""
    level, text = _words()[key]
    found, _, do = text.strip().partition("\n")
    return Finding(key.partition(":")[0], level, found.format(**filled), do.format(**filled))


@cache
def by_variant() -> dict[str, str]:
    """Return the names of the findings that have something after a colon, by that."""
    return {key.partition(":")[2]: key for key in _words() if ":" in key}


@cache
def _words() -> dict[str, tuple[Mark, str]]:
    titles = ((title.split(), text) for title, text in parts("findings.txt").items())
    return {name: (Mark(level), text) for (name, level), text in titles}


def shown(text: str) -> str:
    """Cut what comes from elsewhere, such as a name in a certificate, to what a line can bear."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def listed(names: list[str]) -> str:
    """Write names as prose does: `a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


@dataclass
class Section:
    """What belongs together: the settings, the network, or the bot."""

    title: str
    findings: list[Finding] = field(default_factory=list)
    not_reached: str = ""
    """`ps7` or `bot`, if a check before it failed."""


@dataclass
class Report:
    """The sections, in order."""

    sections: list[Section] = field(default_factory=list)
    allowed: frozenset[str] = frozenset()
    """Names of findings that are as the bank wants them: they are shown, and do not count."""

    def count(self, level: Mark) -> int:
        """Count the findings of a level, but those that are allowed."""
        every = [finding for section in self.sections for finding in section.findings]
        return sum(each.level is level and each.id not in self.allowed for each in every)

    def passes(self, *, strict: bool) -> bool:
        """Whether there is no error, and no warning if warnings are errors."""
        warnings = self.count(Mark.WARNING) if strict else 0
        return self.count(Mark.ERROR) + warnings == 0

    def write(self, out: Output) -> None:
        """Write it for a person."""
        for section in self.sections:
            out.heading(section.title)
            for same, findings in groupby(section.findings, key=lambda finding: finding.do):
                *others, last = findings
                for finding in others:  # what all of them need is written once, below the last
                    out.finding(finding.level, _named(finding))
                out.finding(last.level, _named(last), same)
            if section.not_reached:
                skipped = f"{_NOT_REACHED[section.not_reached]}, until this is repaired"
                out.finding(Mark.SKIPPED, skipped)
            out.line()
        errors, warnings = self.count(Mark.ERROR), self.count(Mark.WARNING)
        tone = Tone.BAD if errors else Tone.DOUBTFUL if warnings else Tone.GOOD
        counted = f"{_counted(errors, 'error')}, {_counted(warnings, 'warning')}"
        allowed = Report(self.sections)
        more = allowed.count(Mark.ERROR) + allowed.count(Mark.WARNING) - errors - warnings
        out.line(Toned(counted + (f" ({more} allowed)" if more else ""), tone))

    def as_json(self, *, strict: bool) -> dict[str, Any]:
        """Return it for a machine. `id` and `level` stay the same from version to version."""
        return {
            "passes": self.passes(strict=strict),
            "errors": self.count(Mark.ERROR),
            "warnings": self.count(Mark.WARNING),
            "findings": [
                {"section": section.title.lower(), **vars(finding), "do": finding.do or None}
                for section in self.sections
                for finding in section.findings
            ],
            "not_checked": [each.not_reached for each in self.sections if each.not_reached],
        }


def _named(finding: Finding) -> str:
    """Return the text of a finding with the name by which it is looked for or allowed."""
    return finding.found if finding.level is Mark.OK else f"{finding.found} [{finding.id}]"


def _counted(number: int, word: str) -> str:
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
