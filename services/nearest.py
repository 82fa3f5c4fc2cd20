"""Real names near a wrong one, for errors that teach. Only compares texts; what may be shown the caller decides."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

# Comparing is quadratic in length, and no name is longer.
MAX_LENGTH = 100


def nearest(name: str, candidates: Iterable[str] | Mapping[str, str], count: int = 3) -> list[str]:
    """Return the candidates most like `name`, best first; none when nothing is alike.

    :param candidates: technical names, or a mapping of technical names to labels, which are compared too
    """
    wanted = _plain(name)
    if not wanted:
        return []
    labels = candidates if isinstance(candidates, Mapping) else {}
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted)
    scored = []
    for candidate in candidates:
        score = _score(matcher, wanted, _plain(candidate))
        if label := labels.get(candidate):
            score = max(score, _score(matcher, wanted, _plain(label)) - 0.01)
        if score >= 0.6:
            scored.append((-score, candidate))
    return [candidate for _score_, candidate in sorted(scored)[:count]]


def edit_distance(left: str, right: str, limit: int = 2) -> int:
    """Return the number of edits (Levenshtein) between two texts, or `limit + 1` when there are more."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    row = list(range(len(right) + 1))
    for number, letter in enumerate(left, 1):
        above, row[0] = row[0], number
        for column, other in enumerate(right, 1):
            above, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, above + (letter != other))
        if min(row) > limit:
            return limit + 1
    return min(row[-1], limit + 1)


def near_miss(name: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate at most two edits away (one for names under four letters), compared without case."""
    found = None
    best = 3
    for candidate in candidates:
        limit = 1 if min(len(name), len(candidate)) < 4 else 2
        distance = edit_distance(name.lower(), candidate.lower(), limit)
        if distance <= limit and distance < best:
            found, best = candidate, distance
    return found


def _plain(name: str) -> str:
    return name[:MAX_LENGTH].lower().replace(".", " ").replace("_", " ").replace("-", " ").strip()


def _score(matcher: difflib.SequenceMatcher, wanted: str, candidate: str) -> float:
    """Likeness from 0 to 1; a name that contains the other in whole words counts as near."""
    matcher.set_seq1(candidate)
    contained = 0.0
    if len(wanted) > 2 and f" {wanted} " in f" {candidate} ":
        contained = 0.7 + 0.2 * len(wanted) / len(candidate)
    if matcher.real_quick_ratio() < 0.6 or matcher.quick_ratio() < 0.6:
        return contained
    return max(contained, matcher.ratio())
