"""W3C Trace Context: which trace of the client's own a request is part of. It is noted, never trusted.

https://www.w3.org/TR/trace-context/#traceparent-header; in MCP messages the same text stands in `_meta.traceparent`.
"""

from __future__ import annotations

import re

HEADER = "traceparent"
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?")


def traceparent(*candidates: object) -> str | None:
    """Return the first of the candidates that is a valid `traceparent`, None when none is."""
    for candidate in candidates:
        if not isinstance(candidate, str) or len(candidate) > 200:
            continue
        found = _TRACEPARENT.fullmatch(candidate.strip())
        # Version 00 ends here; later ones may add parts, which nobody can know yet.
        if found and not (candidate.strip().startswith("00") and found["more"]):
            return candidate.strip()[:55]
    return None
