"""Which regular expressions of an administrator may run over every payload: those that cannot take long.

Python's `re` cannot be stopped once it has begun, so a pattern is judged before: the steps that it could need for one
string are counted from its structure, in the worst case of backtracking. What is nested or refers back is refused
altogether. The bound is coarse on the safe side, and says how to write a pattern that passes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

try:
    from re import _constants as sre
    from re import _parser as sre_parser
except ImportError:
    # Python 3.10
    import sre_constants as sre
    import sre_parse as sre_parser

# The longest text that one pattern ever sees; see `redaction.MAX_STRING`.
LONGEST_TEXT = 2_300
# Steps of all patterns together for one such text: some tenths of a second at the very worst.
MOST_STEPS = 8_000_000
MOST_PATTERNS = 50
LONGEST_PATTERN = 300

# The possessive forms came with Python 3.11.
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, getattr(sre, "POSSESSIVE_REPEAT", None)}
_SINGLE = {sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY, sre.AT}
_TOO_SLOW = "it could take too long on some texts; give repeats a limit, such as {1,20}, instead of * or +"


@lru_cache(maxsize=64)
def compiled(text: str) -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a text, one per line; blank lines and lines that start with # do not count.

    :raises ValueError: a line that is no pattern, matches the empty text or could take long; the message names it
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if len(lines) > MOST_PATTERNS:
        raise ValueError(f"at most {MOST_PATTERNS} patterns")
    patterns = []
    steps = 0
    for line in lines:
        try:
            pattern, cost = _checked(line)
        except ValueError as error:
            raise ValueError(f"{line[:80]}: {error}") from None
        steps += cost
        if steps > MOST_STEPS:
            raise ValueError(f"{line[:80]}: {_TOO_SLOW}")
        patterns.append(pattern)
    return tuple(patterns)


def _checked(text: str) -> tuple[re.Pattern[str], int]:
    """Return one pattern and the steps that it could need."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"longer than {LONGEST_PATTERN} characters")
    try:
        pattern = re.compile(text)
        tree = sre_parser.parse(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if pattern.match(""):
        raise ValueError("it matches the empty text")
    return pattern, LONGEST_TEXT * _cost(tree, in_repeat=False)


def _cost(items: Sequence, *, in_repeat: bool) -> int:
    """Return how many steps matching at one place could need: the product of all choices on the way."""
    cost = 1
    for operator, argument in items:
        cost *= _choices(operator, argument, in_repeat=in_repeat)
        if cost * LONGEST_TEXT > MOST_STEPS:
            raise ValueError(_TOO_SLOW)
    return cost


def _choices(operator: object, argument: object, *, in_repeat: bool) -> int:
    if operator in _SINGLE:
        return 1
    if operator in _REPEATS:
        lowest, highest, body = argument
        if highest == 1:
            return 1 + _cost(body, in_repeat=in_repeat)
        highest = min(int(highest), LONGEST_TEXT)
        if in_repeat and lowest != highest:
            raise ValueError("a repeat inside a repeat is not allowed")
        return (highest - lowest + 1) * _cost(body, in_repeat=True)
    if operator is sre.SUBPATTERN:
        return _cost(argument[3], in_repeat=in_repeat)
    if operator is getattr(sre, "ATOMIC_GROUP", None):
        return _cost(argument, in_repeat=in_repeat)
    if operator in (sre.ASSERT, sre.ASSERT_NOT):
        return _cost(argument[1], in_repeat=in_repeat)
    if operator is sre.BRANCH:
        if in_repeat:
            raise ValueError("alternatives inside a repeat are not allowed")
        return sum(_cost(branch, in_repeat=False) for branch in argument[1])
    raise ValueError("references to groups are not allowed")
