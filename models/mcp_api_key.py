import hmac
import re

from odoo import api, fields, models
from odoo.addons.base.models.res_users import INDEX_SIZE, KEY_CRYPT_CONTEXT
from odoo.tools import SQL

from .token_lookup import TokenState

# A key without a scope opens everything its user may do, past every profile: it is never accepted here.
SCOPE = "rpc"
KEY = re.compile(r"[0-9a-f]{40}")


class McpToken(models.Model):
    """Odoo's own API keys as bearer tokens, where an administrator allows it.

    Each key gets a row of kind `api_key` with the first call, so that it is audited, limited by the baseline profile
    and revoked like any token. The row holds the key's digest: Odoo's slow hash is verified once, and from then on
    one query joins the row with the key, so that a key deleted in Odoo ends with the next request.
    """

    _inherit = "mcp.token"

    api_key_id = fields.Many2one("res.users.apikeys", readonly=True, index="btree_not_null", ondelete="set null")

    @api.model
    def _find_foreign(self, secret: str) -> TokenState | None:
        state = super()._find_foreign(secret)
        if state is None and KEY.fullmatch(secret) and self._accepts_api_keys():
            digest = self._digest(secret)
            state = self._find_api_key(digest)
            if state is None and self._adopt_api_key(secret, digest):
                state = self._find_api_key(digest)
        return state

    @api.model
    def _accepts_api_keys(self) -> bool:
        # sudo: a system parameter that users may not read in general.
        return self.env["ir.config_parameter"].sudo().get_param("mcp_endpoint.api_keys") == "True"

    def _find_api_key(self, digest: str) -> TokenState | None:
        """Return the state of the row that stands for a key, None when the key is new here."""
        self.env.cr.execute(
            SQL(
                """
                SELECT t.id, t.user_id, t.profile_id, t.digest, t.last_used_at, t.revoked_at IS NOT NULL,
                       k.id IS NULL, k.expiration_date <= (now() AT TIME ZONE 'UTC'), u.active
                  FROM mcp_token t
                  JOIN res_users u ON u.id = t.user_id
             LEFT JOIN %s k ON k.id = t.api_key_id AND k.user_id = t.user_id AND k.scope = %s
                 WHERE t.digest = %s AND t.kind = 'api_key'
                """,
                self._keys_table(),
                SCOPE,
                digest,
            )
        )
        row = self.env.cr.fetchone()
        if row is None or not hmac.compare_digest(row[3], digest):
            return None
        token_id, user_id, profile_id, _digest, last_used_at, revoked, deleted, expired, is_active = row
        refusal = None
        if revoked or deleted:
            refusal = "token_revoked"
        elif expired:
            refusal = "token_expired"
        elif not is_active:
            refusal = "user_archived"
        elif user_id == api.SUPERUSER_ID:
            refusal = "user_not_allowed"
        return TokenState(token_id, user_id, profile_id, last_used_at, refusal, "api_key")

    def _adopt_api_key(self, secret: str, digest: str) -> bool:
        """Verify a key that is new here and make its row; say whether it is a living key of the right scope.

        Two first calls at the same time meet at the unique digest: the second fails to serialize, and `_find` begins
        anew and finds the row.
        """
        self.env.cr.execute(
            SQL(
                """
                SELECT k.id, k.user_id, k.name, k.key, k.expiration_date
                  FROM %s k JOIN res_users u ON u.id = k.user_id
                 WHERE k.index = %s AND k.scope = %s AND u.active
                   AND (k.expiration_date IS NULL OR k.expiration_date > (now() AT TIME ZONE 'UTC'))
                """,
                self._keys_table(),
                secret[:INDEX_SIZE],
                SCOPE,
            )
        )
        for key_id, user_id, name, hashed, expires_at in self.env.cr.fetchall():
            if KEY_CRYPT_CONTEXT.verify(secret, hashed):
                self._insert_api_key(key_id, user_id, name, f"…{secret[-4:]}", digest, expires_at)
                return True
        return False

    def _insert_api_key(self, key_id, user_id, name, hint, digest, expires_at) -> None:
        # sudo: a caller who is not known yet; the row can do no more than the baseline profile allows.
        baseline = self.env["mcp.profile"].sudo().search([("is_baseline", "=", True)], limit=1)
        row = {
            "kind": "api_key",
            "name": name,
            "user_id": user_id,
            "profile_id": baseline.id,
            "api_key_id": key_id,
            "hint": hint,
            "digest": digest,
            "expires_at": expires_at,
            "create_uid": user_id,
            "create_date": fields.Datetime.now(),
        }
        self.env.cr.execute(
            SQL(
                "INSERT INTO mcp_token (%s) VALUES %s ON CONFLICT DO NOTHING",
                SQL(", ").join(SQL.identifier(column) for column in row),
                tuple(row.values()),
            ),
            log_exceptions=False,
        )

    def _keys_table(self) -> SQL:
        return SQL.identifier(self.env["res.users.apikeys"]._table)
