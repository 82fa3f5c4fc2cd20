"""The marks in a prompt's text and what takes their place. Plain substitution: no template language, nothing is run."""

import re
from collections.abc import Mapping

KINDS = [
    ("text", "Text"),
    ("date", "Date"),
    ("model", "Model"),
    ("field", "Field"),
    ("record", "Record"),
    ("selection", "Selection"),
]
PLACEHOLDER = re.compile(r"\{\{\s*([a-z][a-z0-9_]{0,31})\s*\}\}", re.ASCII)


def rendered(body: str, values: Mapping[str, str]) -> str:
    """Return the text with its marks replaced; a mark inside a value stays text, and so does an unknown one."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), body)
