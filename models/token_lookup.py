import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg2
from odoo import api, fields, models
from odoo.exceptions import ConcurrencyError
from odoo.tools import SQL

from ..services import secret_tokens
from ..services.oauth import scopes
from .late_write import after_commit

# How stale "last used" may get. Writing it on every call would turn each read into a conflicting write.
LAST_USE_RESOLUTION = timedelta(minutes=5)
# What every call runs first. PostgreSQL plans a join, or a search by this digest or that one, for longer than it runs
# them: so a subquery, and one search after the other.
_PERSONAL = """
    SELECT t.id, t.user_id, t.profile_id, t.kind, t.digest, t.previous_digest, t.last_used_at, t.previous_used_at,
           t.revoked_at IS NOT NULL, t.expires_at <= (now() AT TIME ZONE 'UTC'),
           t.previous_valid_until > (now() AT TIME ZONE 'UTC'),
           (SELECT u.active FROM res_users u WHERE u.id = t.user_id)
      FROM mcp_token t
     WHERE """
_BY_DIGEST = f"{_PERSONAL} t.digest = %s"
_BY_PREVIOUS_DIGEST = f"{_PERSONAL} t.previous_digest = %s"
_BY_ACCESS_DIGEST = """
    SELECT t.id, t.user_id, t.profile_id, t.last_used_at, a.digest, a.scope, t.resource, c.id, c.profile_id,
           t.revoked_at IS NOT NULL, c.blocked OR NOT c.active,
           least(a.expires_at, t.expires_at) <= (now() AT TIME ZONE 'UTC'),
           (SELECT u.active FROM res_users u WHERE u.id = t.user_id)
      FROM mcp_oauth_access a
      JOIN mcp_token t ON t.id = a.token_id
      JOIN mcp_oauth_client c ON c.id = t.oauth_client_id
     WHERE a.digest = %s
"""


@dataclass(frozen=True)
class TokenState:
    """The row behind a presented secret. `refusal` says why it cannot be used, None when it can.

    :param id: of the `mcp.token` row
    :param is_previous: it is the secret before the last rotation, `last_used_at` then its own
    :param scopes: what an OAuth access token is limited to; None for what knows no scopes
    :param client_id: id of the `mcp.oauth.client` row that the grant is for
    :param client_profile_id: of the access profile that limits this client
    """

    id: int
    user_id: int
    profile_id: int
    last_used_at: datetime | None
    refusal: str | None
    kind: str = "personal"
    is_previous: bool = False
    scopes: tuple[str, ...] | None = None
    client_id: int | None = None
    client_profile_id: int | None = None


class McpToken(models.Model):
    """From the secret in a request to the row it stands for. Runs before every call: one indexed query, no ORM."""

    _inherit = "mcp.token"

    @api.model
    def _find(self, secret: str) -> TokenState | None:
        """Return the state of the token presented, None when there is no such token in this database."""
        if secret_tokens.is_well_formed(secret, secret_tokens.PERSONAL_PREFIX):
            return self._find_personal(self._digest(secret))
        if secret_tokens.is_well_formed(secret, secret_tokens.ACCESS_PREFIX):
            return self._find_access(self._digest(secret))
        if secret.startswith(secret_tokens.OWN_PREFIX):
            return None
        try:
            return self._find_foreign(secret)
        except (ConcurrencyError, psycopg2.errors.SerializationFailure):
            # The first two calls with a credential at the same moment, of which each makes its row. Odoo does not run
            # a request again that fails during authentication; before it, there is nothing to be lost by beginning
            # anew.
            self.env.cr.rollback()
            self.env.invalidate_all(flush=False)
            return self._find_foreign(secret)

    @api.model
    def _find_foreign(self, secret: str) -> TokenState | None:
        """Return the state of a credential that is not of our making. Extend it for a further kind."""
        return None

    def _find_personal(self, digest: str) -> TokenState | None:
        row = self._row(_BY_DIGEST, digest) or self._row(_BY_PREVIOUS_DIGEST, digest)
        if row is None:
            return None
        token_id, user_id, profile_id, kind, current, previous, used_at, previous_used_at, *facts = row
        is_previous = not hmac.compare_digest(current or "", digest)
        if is_previous and not hmac.compare_digest(previous or "", digest):
            return None
        revoked, expired, in_overlap, is_active = facts
        refusals = {
            "token_revoked": revoked,
            "token_expired": expired,
            "token_rotated": is_previous and not in_overlap,
            **_of_user(user_id, is_active),
        }
        used_at = previous_used_at if is_previous else used_at
        return TokenState(token_id, user_id, profile_id, used_at, _first(refusals), kind, is_previous)

    def _find_access(self, digest: str) -> TokenState | None:
        """Return the state of an OAuth access token: its own, its grant's, its client's and its user's."""
        row = self._row(_BY_ACCESS_DIGEST, digest)
        if row is None or not hmac.compare_digest(row[4], digest):
            return None
        token_id, user_id, profile_id, used_at, _digest, scope, resource, client_id, limit_id, *facts = row
        revoked, blocked, expired, is_active = facts
        server = self.env["mcp.oauth.server"]
        refusals = {
            "token_revoked": revoked,
            "client_blocked": blocked or not server._is_enabled(),
            "token_expired": expired,
            "wrong_audience": resource != server._resource(),
            **_of_user(user_id, is_active),
        }
        return TokenState(
            token_id,
            user_id,
            profile_id,
            used_at,
            _first(refusals),
            "oauth",
            scopes=scopes.parse(scope),
            client_id=client_id,
            client_profile_id=limit_id,
        )

    def _row(self, query: str, digest: str) -> tuple | None:
        self.env.cr.execute(query, [digest])
        return self.env.cr.fetchone()

    @api.model
    def _note_use(self, state: TokenState, ip: str, client: str) -> None:
        """Remember the use after this transaction, at most every few minutes."""
        now = fields.Datetime.now()
        if state.last_used_at and now - state.last_used_at < LAST_USE_RESOLUTION:
            return
        # Each secret of a rotated token has a last use of its own: it says whether the old one is still needed.
        prefix = "previous" if state.is_previous else "last"
        query = SQL(
            """
            UPDATE mcp_token
               SET %(used_at)s = %(now)s, %(ip_column)s = %(ip)s,
                   %(client_column)s = COALESCE(%(client)s, %(client_column)s)
             WHERE id IN (SELECT id FROM mcp_token WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED)
            """,
            used_at=SQL.identifier(f"{prefix}_used_at"),
            ip_column=SQL.identifier(f"{prefix}_ip"),
            client_column=SQL.identifier(f"{prefix}_client"),
            now=now,
            ip=ip,
            client=client or None,
            id=state.id,
        )
        after_commit(self.env, query)


def _of_user(user_id: int, is_active: bool) -> dict[str, bool]:
    # The rest of `_may_use_mcp` are groups and settings, which are in Odoo's cache.
    return {"user_archived": not is_active, "user_not_allowed": user_id == api.SUPERUSER_ID}


def _first(refusals: dict[str, bool]) -> str | None:
    return next((refusal for refusal, applies in refusals.items() if applies), None)
