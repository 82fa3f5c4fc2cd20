"""Profiles as JSON: the form in which they are reviewed in git and moved between databases.

    {"format": "mcp_endpoint.profiles/1", "profiles": [{"name": ..., "access_level": ..., "rules": [{...}]}]}

Checks the form only: which members there are and of which type. What they mean is checked where profiles are saved.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

FORMAT = "mcp_endpoint.profiles/1"
MAX_SIZE = 2_000_000
MAX_PROFILES = 200
LONGEST_NAME = 200
LARGEST_NUMBER = 2**31 - 1
# PostgreSQL stores neither.
_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
_TYPES: dict[str, tuple[type, str]] = {
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
    "char": (str, "text"),
    "text": (str, "text"),
    "selection": (str, "text"),
    "many2many": (list, "a list of names"),
    "many2one": (str, "a name"),
}


def dumped(profiles: Sequence[Mapping[str, object]]) -> str:
    """Return profiles as text that differs between two versions only where they do."""
    return (
        json.dumps({"format": FORMAT, "profiles": list(profiles)}, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    )


def loaded(text: str) -> list[dict[str, object]]:
    """Return the profiles in a text.

    :raises ValueError: saying what is wrong with it
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"larger than {MAX_SIZE:,} characters")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no JSON ({error})") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ValueError(f'the member "format" must be "{FORMAT}"')
    profiles = data.get("profiles")
    if not isinstance(profiles, list) or not 1 <= len(profiles) <= MAX_PROFILES:
        raise ValueError(f'the member "profiles" must be a list of 1 to {MAX_PROFILES} profiles')
    for profile in profiles:
        if not isinstance(profile, dict) or not isinstance(profile.get("name"), str) or not profile["name"].strip():
            raise ValueError('each profile must be an object with a "name"')
        if len(profile["name"]) > LONGEST_NAME:
            raise ValueError(f"a name is longer than {LONGEST_NAME} characters")
    return profiles


def check_members(given: Mapping[str, object], types: Mapping[str, str], where: str) -> None:
    """Check that an object has only known members, each of its field's type; null stands for nothing.

    :param types: the type of each field, by name
    :raises ValueError: naming the member
    """
    if unknown := sorted(set(given) - types.keys()):
        raise ValueError(f"{where}: unknown member {unknown[0]!r}")
    for name, value in given.items():
        kind, expected = _TYPES[types[name]]
        # In Python true is a whole number too.
        if value is not None and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
            raise ValueError(f"{where}: {name} must be {expected}")
        if kind is list and value is not None and not all(isinstance(item, str) for item in value):
            raise ValueError(f"{where}: {name} must be {expected}")
        if isinstance(value, int) and abs(value) > LARGEST_NUMBER:
            raise ValueError(f"{where}: {name} is too large")
        texts = value if isinstance(value, list) else [value]
        if any(_UNSTORABLE.search(text) for text in texts if isinstance(text, str)):
            raise ValueError(f"{where}: {name} has characters that no text may have")
