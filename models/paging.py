"""Signed cursors of tools that page through the result of a query."""

import hashlib
import json
from collections.abc import Mapping

from ..services import cursors
from ..services.errors import ToolError


def next_cursor(call, criteria: Mapping[str, object], payload: Mapping[str, int]) -> str:
    """Return the cursor of the page that `payload` describes, valid for this caller and these criteria only."""
    return cursors.sign(dict(payload), **_binding(call, criteria))


def page_start(call, criteria: Mapping[str, object], cursor: str | None) -> dict[str, int]:
    """Return what the cursor says, `{"offset": 0}` without one.

    :raises ToolError: altered, expired, of another caller or of another query
    """
    if cursor is None:
        return {"offset": 0}
    try:
        return cursors.verify(cursor, **_binding(call, criteria))
    except ValueError as error:
        raise ToolError(
            "invalid_cursor",
            str(error),
            fix="Repeat exactly the arguments of the first call and add cursor, or leave cursor out to start again.",
        ) from error


def _binding(call, criteria: Mapping[str, object]) -> dict:
    # The companies, as `call_environment` has checked them.
    companies = call.env.context.get("allowed_company_ids")
    text = json.dumps([companies, criteria], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()
    key = call.env["mcp.server"]._cursor_key(call.spec.name)
    return {"key": key, "scope": f"{call.spec.name}:{call.exchange.credential.token_id}:{digest}"}
