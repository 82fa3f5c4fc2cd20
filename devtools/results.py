"""Counts of a part of the tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """How many checks passed, failed, were skipped, and what failed, a line each."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: tuple[str, ...] = ()

    def line(self):
        """The line that ends ./dev test."""
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")

    def is_success(self):
        """Something ran, and nothing failed."""
        return self.passed > 0 and self.failed == 0


def add(parts):
    """The sum of results."""
    parts = list(parts)
    return Result(
        sum(part.passed for part in parts),
        sum(part.failed for part in parts),
        sum(part.skipped for part in parts),
        tuple(failure for part in parts for failure in part.failures),
    )
