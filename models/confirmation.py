"""The two-step form of asking the human: a preview and a signed token that lets the same call go ahead once.

For clients that can show no question. The token is bound to the user, the token, the tool and the arguments; what it
proves is that the preview was made, so a profile that needs proof of a human uses Odoo's own page instead.
"""

import secrets
from datetime import timedelta

from odoo import fields
from odoo.tools import hash_sign, verify_hash_signed

from ..services import canonical
from ..services.errors import NeedsInput, ToolError
from ..services.tool import ToolResult

SCOPE = "mcp-confirm"
LIFE = timedelta(minutes=15)


def confirm_token(call, key: str) -> str:
    """Return a token that answers the question `key` of exactly this call."""
    # sudo: hash_sign reads the database's secret.
    return hash_sign(call.env(su=True), SCOPE, [*_binding(call), key, secrets.token_hex(16)], expiration=LIFE)


def accepted_key(call, token: str) -> str:
    """Return the key of the question that `token` answers, and use the token up.

    :raises ToolError: not a token of this very call, expired, or used before
    """
    try:
        # sudo: as above.
        values = verify_hash_signed(call.env(su=True), SCOPE, token)
    except ValueError:
        values = None
    if not isinstance(values, list) or values[:-2] != _binding(call):
        raise ToolError(
            "invalid_confirm_token",
            "The confirm_token is not valid for this call: it was changed, has expired, or the arguments differ.",
            fix="Call again without confirm_token to get a new preview and token.",
        )
    key, nonce = values[-2:]
    call.env["mcp.idempotency"]._consume_nonce(call, nonce, fields.Datetime.now() + LIFE)
    return key


def question_result(call, needed: NeedsInput, preview: ToolResult) -> ToolResult:
    """Return the first step's result: what would happen and how to go ahead."""
    token = confirm_token(call, needed.key)
    text = (
        f"Confirmation needed, nothing was done yet. {needed.question.message}\n"
        f"{preview.text or ''}\n"
        f"Ask the user. If they agree, call {call.spec.name} again with the same arguments plus "
        f"confirm_token={token!r}."
    )
    return ToolResult(
        structured={
            "status": "confirmation_required",
            "question": needed.question.message,
            "confirm_token": token,
            "expires_in_seconds": int(LIFE.total_seconds()),
            "preview": dict(preview.structured),
        },
        text=text,
    )


def page_result(call, message: str, asked, preview: ToolResult) -> ToolResult:
    """Return the same for a profile that has its users confirm on Odoo's own page, where a client cannot open it.

    :param asked: the `mcp.confirmation`
    """
    text = (
        f"Confirmation in Odoo needed, nothing was done yet. {message}\n"
        f"{preview.text or ''}\n"
        f"Give the user this link: {asked._url()} When they say that they have agreed there, call {call.spec.name} "
        "again with the same arguments."
    )
    return ToolResult(
        structured={
            "status": "confirmation_required",
            "question": message,
            "confirm_url": asked._url(),
            "expires_in_seconds": int(LIFE.total_seconds()),
            "preview": dict(preview.structured),
        },
        text=text,
    )


def _binding(call) -> list:
    token_id = call.exchange.credential.token_id
    # One level down: the digest of a call leaves out names at its top that here make another call.
    digest = canonical.digest(call.spec.name, {"call": dict(call.arguments), "company": call.env.company.id})
    return [call.env.uid, token_id, call.spec.name, digest]
