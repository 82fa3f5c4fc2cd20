"""Tiers: models that are closed, or read only, to every assistant, as administrators have extended the guardrails.

The lists in `guardrails` hold before these and cannot be shortened; a tier only takes away. Where several name a
model, each of them holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .policy_rules import matches

NEVER = "never"
ADMIN = "admin"
READ_ONLY = "read_only"
ADMIN_WRITE = "admin_write"
_MOST_KEPT = 4_096


@dataclass(frozen=True)
class Tiers:
    """The tiers as they stand for one user.

    :param patterns: names of models or patterns such as `hr.payslip*`, each with its tier
    :param is_admin: the user is an MCP Administrator
    """

    patterns: frozenset[tuple[str, str]] = frozenset()
    is_admin: bool = False
    _known: dict[str, frozenset[str]] = field(default_factory=dict, compare=False, hash=False, repr=False)

    def of(self, model: str) -> frozenset[str]:
        """Return the tiers of a model."""
        try:
            return self._known[model]
        except KeyError:
            found = frozenset(tier for pattern, tier in self.patterns if matches(frozenset({pattern}), model))
            if len(self._known) < _MOST_KEPT:
                self._known[model] = found
            return found

    def refusal(self, model: str, operation: str) -> tuple[str, str] | None:
        """Return the rule that refuses an operation on a model and why, None when no tier does."""
        tiers = self.of(model)
        if not tiers:
            return None
        if NEVER in tiers:
            return "tier:never", f"{model} is closed to assistants in this database."
        if ADMIN in tiers and not self.is_admin:
            return "tier:admin", f"{model} is open to MCP Administrators only."
        if operation == "read":
            return None
        if READ_ONLY in tiers:
            return "tier:read_only", f"{model} can be read but never changed by assistants in this database."
        if ADMIN_WRITE in tiers and not self.is_admin:
            return "tier:admin_write", f"{model} can be changed by MCP Administrators only."
        return None
