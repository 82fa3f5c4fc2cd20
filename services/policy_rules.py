"""Rules of a profile for models: the first one that names a model decides what is open of it.

Names are exact or patterns such as `sale.*`. A list of rules opens what it names and nothing else; no rules at all
leave every model open. Answers are kept by model, so that a call asks a dictionary.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import translate
from functools import lru_cache

# Shown with every record: a link or a line is of no use without them. An explicit denial still closes the name.
ALWAYS_LISTED = frozenset({"id", "display_name"})
PATTERN = re.compile(r"[a-z0-9_.*]{1,128}", re.ASCII)
# Registries have under two thousand models; more names than this are not a registry's.
_MOST_KEPT = 4_096


@dataclass(frozen=True)
class ModelRule:
    """What one rule opens of the models that it names.

    :param operations: of `read`, `write`, `create`, `delete`, `call`
    :param listed: fields of the list; what it means is said by `fields_mode`: `all`, `allow` or `deny`
    :param methods: the buttons and methods that may be called; None: all that are callable at all
    :param domain: a further condition on the records, as text; empty for none
    :param groups: ids of groups; the rule is for their members only, empty for everybody
    """

    pattern: str
    operations: frozenset[str]
    fields_mode: str = "all"
    listed: frozenset[str] = frozenset()
    methods: frozenset[str] | None = None
    domain: str = ""
    groups: frozenset[int] = frozenset()

    def closes_field(self, name: str) -> bool:
        if self.fields_mode == "allow":
            return name not in self.listed and name not in ALWAYS_LISTED
        return self.fields_mode == "deny" and name in self.listed

    def closes_method(self, name: str) -> bool:
        return self.methods is not None and name not in self.methods


@dataclass(frozen=True)
class RuleSet:
    """The rules of one profile that apply to one user, in order."""

    rules: tuple[ModelRule, ...] = ()
    _known: dict[str, ModelRule | None] = field(default_factory=dict, compare=False, hash=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def of(self, model: str) -> ModelRule | None:
        """Return the first rule that names the model, None when there is none."""
        try:
            return self._known[model]
        except KeyError:
            found = next((rule for rule in self.rules if matches(frozenset({rule.pattern}), model)), None)
            if len(self._known) < _MOST_KEPT:
                self._known[model] = found
            return found

    def for_groups(self, held: frozenset[int]) -> RuleSet:
        """Return the rules that apply to a user in these groups.

        Where all rules are for groups and none of them is the user's, nothing is open: no rule becomes no limit.
        """
        mine = tuple(rule for rule in self.rules if not rule.groups or rule.groups & held)
        return RuleSet(mine or (CLOSED if self.rules else ()))


# Names nothing, and so leaves nothing open.
CLOSED = (ModelRule("-", frozenset()),)


@dataclass(frozen=True)
class NameList:
    """Names of tools, exact or as patterns, that are allowed (None: all) and denied; what is denied stays closed."""

    allowed: frozenset[str] | None = None
    denied: frozenset[str] = frozenset()

    def admits(self, name: str) -> bool:
        if matches(self.denied, name):
            return False
        return self.allowed is None or matches(self.allowed, name)


def names(text: str | None) -> frozenset[str]:
    """Return the names in a text, separated by blanks, commas or lines."""
    return frozenset(re.split(r"[\s,;]+", text.strip())) - {""} if text else frozenset()


def unreadable_names(text: str | None) -> list[str]:
    """Return what is no name and no pattern in a text of names."""
    return sorted(name for name in names(text) if not PATTERN.fullmatch(name))


def matches(patterns: frozenset[str], name: str) -> bool:
    """Say whether any of the patterns stands for the name; `*` is any text."""
    return bool(patterns) and _matcher(patterns).fullmatch(name) is not None


@lru_cache(maxsize=1_024)
def _matcher(patterns: frozenset[str]) -> re.Pattern[str]:
    return re.compile("|".join(translate(pattern) for pattern in sorted(patterns)))
