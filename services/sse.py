"""Server-sent events: framing only (WHATWG HTML, 9.2)."""

from __future__ import annotations

CONTENT_TYPE = "text/event-stream"
# Neither caches nor proxies may hold an event back.
HEADERS = (("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))


def event(data: bytes) -> bytes:
    """Return one `message` event. `data` is a JSON text, which holds no raw line break."""
    return b"data: " + data + b"\n\n"
