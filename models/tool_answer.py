"""From what a tool returned or raised to a `CallToolResult`: text for the model, facts, and notes."""

import json

from ..services.errors import ToolError
from ..services.tool import ToolResult
from ..services.untrusted import closed
from .provenance import mark_quotes

# The most that any answer may hold, whatever a tool returns; shipped tools keep to their own, smaller budget.
HARD_LIMIT = 80_000


def answer(call, result: ToolResult) -> dict:
    """Return the success result of a call.

    The text repeats the facts and carries the notes, because many clients show the model nothing else.
    """
    facts = _json(result.structured)
    text = facts if result.text is None else result.text
    structured = dict(result.structured)
    notes = list(call.notes)
    limit = call.policy.max_result or HARD_LIMIT
    if len(text) > limit:
        text = closed(text[:limit])
        notes.append(f"The answer was cut at {limit} characters. Ask for fewer records or fields.")
    if len(facts) > 2 * limit:
        structured = {"truncated": True}
    if call.boundary.used and result.text is not None:
        # Where the text is nothing but JSON, `_meta` says it.
        text = f"{text}\n{call.boundary.line}"
    if notes:
        text = "\n".join([text, *(f"Note: {note}" for note in notes)])
    meta = {**result.meta, **call.boundary.meta, **({"warnings": notes} if notes else {})}
    return {
        "content": [{"type": "text", "text": text}, *result.content],
        "structuredContent": structured,
        "isError": False,
        **({"_meta": meta} if meta else {}),
    }


def error_answer(error: ToolError, call=None) -> dict:
    """Return the error result: message and fix as text, the same facts as `structuredContent.error`."""
    facts = error.as_dict()
    if call:
        facts = {name: mark_quotes(call, fact) if name in ("message", "fix") else fact for name, fact in facts.items()}
    text = f"{facts['message']} {facts['fix']}" if error.fix else facts["message"]
    if call and call.boundary.used:
        text = f"{text}\n{call.boundary.line}"
    notes = list(call.notes) if call else []
    return {
        "content": [{"type": "text", "text": "\n".join([text, *(f"Note: {note}" for note in notes)])}],
        "structuredContent": {"error": facts},
        "isError": True,
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
