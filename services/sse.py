"""Server-sent events: framing only (WHATWG HTML, 9.2)."""

from __future__ import annotations

CONTENT_TYPE = "text/event-stream"
# Neither caches nor proxies may hold an event back.
HEADERS = (("Cache-Control", "no-cache, no-transform"), ("X-Accel-Buffering", "no"))
# What no client shows; it keeps the connection alive, and tells whether it is.
COMMENT = b":\n\n"


def event(data: bytes, event_id: str | None = None, retry: int | None = None, name: str = "") -> bytes:
    """Return one event.

    :param data: one line, such as a JSON text, which holds no raw line break; empty for an event that only has an id
    :param event_id: by which a client asks for what came after it
    :param retry: milliseconds after which a client comes back when the stream ends
    :param name: of the kind of event, empty for `message`
    """
    lines = [b"id: " + event_id.encode()] if event_id is not None else []
    lines += [b"retry: %d" % retry] if retry is not None else []
    lines += [b"event: " + name.encode()] if name else []
    return b"\n".join([*lines, b"data: " + data, b"", b""])


def retry(milliseconds: int) -> bytes:
    """Return the wish that a client waits so long before it connects again."""
    return b"retry: %d\n\n" % milliseconds
