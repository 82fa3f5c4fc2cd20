"""Server-sent events: framing only (WHATWG HTML, 9.2)."""

from __future__ import annotations

CONTENT_TYPE = "text/event-stream"
# Neither caches nor proxies may hold an event back.
HEADERS = (("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))
# What no client shows; it keeps the connection alive, and tells whether it is.
COMMENT = b":\n\n"


def event(data: bytes, event_id: str | None = None, retry: int | None = None) -> bytes:
    """Return one `message` event.

    :param data: a JSON text, which holds no raw line break; empty for an event that only has an id
    :param event_id: by which a client asks for what came after it
    :param retry: milliseconds after which a client comes back when the stream ends
    """
    lines = [b"id: " + event_id.encode()] if event_id is not None else []
    lines += [b"retry: %d" % retry] if retry is not None else []
    return b"\n".join([*lines, b"data: " + data, b"", b""])
