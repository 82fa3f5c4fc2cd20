"""What a check of the connection found: its status, what was seen, and the lines to change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OK, WARNING, FAILED, SKIPPED = "ok", "warning", "failed", "skipped"
STATUSES = (OK, WARNING, FAILED, SKIPPED)


@dataclass(frozen=True)
class Outcome:
    """The result of one check.

    :param seen: one or two sentences
    :param fix: what to change and where, each line `place: the exact line`; empty where there is nothing to do
    """

    status: str
    seen: str
    fix: str = ""


@dataclass(frozen=True)
class Finding:
    """A check's name and title with its outcome."""

    name: str
    title: str
    outcome: Outcome

    @property
    def status(self) -> str:
        """The status of the outcome."""
        return self.outcome.status


def ok(seen: str) -> Outcome:
    """Return that all is well."""
    return Outcome(OK, seen)


def warning(seen: str, *fix: str) -> Outcome:
    """Return that it works, but not as it should."""
    return Outcome(WARNING, seen, "\n".join(fix))


def failed(seen: str, *fix: str) -> Outcome:
    """Return that clients will fail here."""
    return Outcome(FAILED, seen, "\n".join(fix))


def skipped(seen: str) -> Outcome:
    """Return why there was nothing to check."""
    return Outcome(SKIPPED, seen)


def summary(findings: Iterable[Finding]) -> str:
    """Return how many findings of each status there are, the statuses in their order."""
    counts = dict.fromkeys(STATUSES, 0)
    for finding in findings:
        counts[finding.status] += 1
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def report(title: str, findings: Iterable[Finding]) -> str:
    """Return the findings as plain text, to be sent to whoever helps. No finding holds a secret."""
    found = tuple(findings)
    lines = [title, summary(found), ""]
    for finding in found:
        lines.append(f"[{finding.status:>7}] {finding.title}: {finding.outcome.seen}")
        lines += [f"          {line}" for line in finding.outcome.fix.splitlines()]
    return "\n".join(lines) + "\n"
