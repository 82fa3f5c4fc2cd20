import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import canonical
from ..services.errors import InvalidParams, ToolError
from ..services.request_state import RequestState
from .retention import purge

LIFE = timedelta(hours=24)
LONGEST_KEY = 200


class McpIdempotency(models.Model):
    _name = "mcp.idempotency"
    _description = "MCP Repeated Call"
    _log_access = False
    _rec_name = "key"

    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="cascade")
    key = fields.Char(required=True, readonly=True, groups=fields.NO_ACCESS)
    tool = fields.Char(readonly=True)
    digest = fields.Char(readonly=True)
    response = fields.Json(readonly=True)
    expires = fields.Datetime(required=True, readonly=True, index=True)

    _user_key = models.UniqueIndex("(user_id, key)", "A key is used once.")

    @api.model
    def _claim(self, call, key: str) -> dict | None:
        """Take a key for this call, or return the response of the call that had it.

        Make it inside the transaction of the call and before any side effect; not for rehearsals. Of two calls at
        the same time the second waits here for the first, then fails with a serialization error, which makes Odoo
        run it again and find the first one's response.

        :return: the stored response, None when the call is to be executed and given to `_store`
        :raises ToolError: `idempotency_conflict`, when the key was used for something else
        """
        if not 1 <= len(key) <= LONGEST_KEY:
            raise ToolError("invalid_arguments", f"idempotency_key has 1 to {LONGEST_KEY} characters.")
        digest = canonical.digest(call.spec.name, {**call.arguments, "company": call.env.company.id})
        key = f"key:{key}"
        if self._insert(key, fields.Datetime.now() + LIFE, tool=call.spec.name, digest=digest):
            return None
        self.env.cr.execute(
            SQL(
                "SELECT tool, digest, response, expires < (now() AT TIME ZONE 'UTC') FROM mcp_idempotency"
                " WHERE user_id = %s AND key = %s",
                self.env.uid,
                key,
            )
        )
        tool, known_digest, response, expired = self.env.cr.fetchone()
        if expired or response is None:
            # Too old, or of a call that failed: nothing has happened under this key.
            self._update(key, tool=call.spec.name, digest=digest, response=None, expires=fields.Datetime.now() + LIFE)
            return None
        if known_digest != digest:
            raise ToolError(
                "idempotency_conflict",
                f"This idempotency_key was used for another call of {tool} in the last 24 hours.",
                fix="Use a new key for a new call; repeat a key only with exactly the same arguments.",
            )
        return response

    @api.model
    def _store(self, call, key: str, response: Mapping[str, object]) -> None:
        """Keep what `_claim` will return for this key, in the transaction of the effects.

        :param response: a `ToolResult` as a dict
        """
        self._update(f"key:{key}", response=json.dumps(response, default=str))

    @api.model
    def _consume_nonce(self, call, nonce: str, expires: datetime | None = None) -> None:
        """Use up the nonce of a confirmation or of a request state.

        :param expires: when what carries the nonce expires (naive UTC), at most a day ahead, which is the default;
            the nonce can be forgotten afterwards
        :raises ToolError: `confirmation_used`, when it was used before
        """
        if not self._take_nonce(call, nonce, expires):
            raise ToolError(
                "confirmation_used",
                "This confirmation has been used already. What it confirmed was done then.",
                fix="Check the result with odoo_search_records; ask again only if it has to happen a second time.",
            )

    @api.model
    def _consume_state(self, call, state: RequestState) -> None:
        """Use up a state, in the transaction of the effect. :raises InvalidParams: it was used before"""
        # All rounds of a call are one chain: a yes in the first is good for one effect, however often it is sent.
        expires = datetime.fromtimestamp(state.expires_at, UTC).replace(tzinfo=None) + LIFE
        if not self._take_nonce(call, f"state:{state.chain}", expires):
            raise InvalidParams('The "requestState" has been used already. What was answered with it was done then.')

    def _take_nonce(self, call, nonce: str, expires: datetime | None) -> bool:
        return self._insert(f"nonce:{nonce}", expires or fields.Datetime.now() + LIFE, tool=call.spec.name)

    def _insert(self, key: str, expires: datetime, **values: object) -> bool:
        """Insert the row of a key unless there is one; wait for another transaction that is about to."""
        row = {"user_id": self.env.uid, "key": key, "expires": expires, **values}
        self.env.cr.execute(
            SQL(
                "INSERT INTO mcp_idempotency (%s) VALUES %s ON CONFLICT (user_id, key) DO NOTHING",
                SQL(", ").join(SQL.identifier(name) for name in row),
                tuple(row.values()),
            )
        )
        return self.env.cr.rowcount == 1

    def _update(self, key: str, **values: object) -> None:
        assignments = SQL(", ").join(SQL("%s = %s", SQL.identifier(name), value) for name, value in values.items())
        self.env.cr.execute(
            SQL("UPDATE mcp_idempotency SET %s WHERE user_id = %s AND key = %s", assignments, self.env.uid, key)
        )

    @api.autovacuum
    def _gc_expired(self):
        """Delete keys and nonces past their time."""
        return purge(self, SQL("expires < %s", fields.Datetime.now()))
