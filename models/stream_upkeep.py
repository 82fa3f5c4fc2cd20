"""What the holder of streams asks of the database, for many streams at a time."""

import logging
from collections.abc import Collection, Iterable

import psycopg2
from odoo import api, fields, models
from odoo.tools import SQL

from ..services import topics
from ..services.errors import McpError, ToolError
from ..services.exchange import Credential, Exchange, Message
from ..services.uri import kind_of
from ..services.versions import V2026_07_28
from .odoo_errors import CALLER_ERRORS
from .rehearsal import reading

_logger = logging.getLogger(__name__)

# What the check of a resource may fail with: what users may not, and the code and SQL of record rules. That the
# database is not there is none of it.
_OF_RULES = (ArithmeticError, AttributeError, LookupError, NameError, TypeError, ValueError)
FAULTS = (*CALLER_ERRORS, *_OF_RULES, psycopg2.ProgrammingError, psycopg2.errors.QueryCanceled)


class McpToken(models.Model):
    _inherit = "mcp.token"

    @api.model
    def _still_good(self, token_ids: Collection[int]) -> set[int]:
        """Return which of these tokens a request could still come with, as far as their rows tell."""
        self.env.cr.execute(
            SQL(
                """
                SELECT t.id FROM mcp_token t
                  JOIN res_users u ON u.id = t.user_id
             LEFT JOIN mcp_oauth_client c ON c.id = t.oauth_client_id
                 WHERE t.id = ANY(%(ids)s) AND t.revoked_at IS NULL AND u.active AND u.id <> %(root)s
                   AND (t.expires_at IS NULL OR t.expires_at > %(now)s)
                   AND (c.id IS NULL OR (c.active AND NOT c.blocked AND %(oauth)s))
                   AND (t.kind <> 'oauth' OR EXISTS (SELECT FROM mcp_oauth_access a
                                                      WHERE a.token_id = t.id AND a.expires_at > %(now)s))
                   AND (t.kind <> 'api_key' OR (%(keys)s AND EXISTS (SELECT FROM res_users_apikeys k
                                                                      WHERE k.id = t.api_key_id)))
                """,
                ids=list(token_ids),
                root=api.SUPERUSER_ID,
                now=fields.Datetime.now(),
                oauth=self.env["mcp.oauth.server"]._is_enabled(),
                keys=self._accepts_api_keys(),
            )
        )
        return {token_id for (token_id,) in self.env.cr.fetchall()}

    @api.model
    def _may_go_on(self, credential: Credential) -> bool:
        """Say whether a request with this credential would be let in, beside what `_still_good` says."""
        user = self.env["res.users"].browse(credential.user_id)
        try:
            self.env["mcp.profile"]._compiled_for(credential).check_address(credential.ip)
        except McpError:
            return False
        return user.with_user(user)._has_mcp_group()

    def _as_credential(self) -> Credential:
        """Return the token as a request would come with it, as far as its row tells."""
        return Credential(
            self.kind,
            self.id,
            self.user_id.id,
            self.profile_id.id,
            self.last_ip or "",
            client_profile_id=self.oauth_client_id.profile_id.id or None,
        )


class McpSession(models.Model):
    _inherit = "mcp.session"

    @api.model
    def _still_open(self, session_ids: Collection[int]) -> set[int]:
        self.env.cr.execute(
            SQL(
                "SELECT id FROM mcp_session WHERE id = ANY(%s) AND ended_at IS NULL AND expires_at > %s",
                list(session_ids),
                fields.Datetime.now(),
            )
        )
        return {session_id for (session_id,) in self.env.cr.fetchall()}

    @api.model
    def _keep_open(self, session_ids: Iterable[int]) -> None:
        """Note that these sessions are in use: they have a stream."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                UPDATE mcp_session SET last_seen = %s, expires_at = %s
                 WHERE id IN (SELECT id FROM mcp_session WHERE id = ANY(%s) AND ended_at IS NULL
                                 FOR NO KEY UPDATE SKIP LOCKED)
                """,
                now,
                now + self._idle_life(),
                list(session_ids),
            )
        )

    @api.model
    def _end(self, key, credential):
        state = self._find(key, credential)
        if state is not None:
            self.env["mcp.notice"]._send([f"session:{state.id}"])
        return super()._end(key, credential)


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _readable(self, credential: Credential, uris: Iterable[str], guard=reading) -> set[str]:
        """Return which of these resources the caller could read now. Run it as the credential's user.

        :param guard: keeps the check from writing, where the transaction is its own
        """
        return {uri for uri in uris if self._is_readable(credential, uri, guard)}

    def _is_readable(self, credential: Credential, uri: str, guard) -> bool:
        exchange = Exchange(Message("resources/read", {"uri": uri}, 0), V2026_07_28, credential, "stream")
        template = self.env["mcp.resource"]._templates().get(kind_of(uri))
        try:
            call = self._reading_call(exchange, template.toolset if template else "core")
            call.env["mcp.resource"]._check_granted(call, call.spec.toolset, template.tool if template else "")
            self.env["mcp.policy"]._authorize(call)
            with guard(call.env):
                self._check_open(call, uri)
        except McpError:
            return False
        except FAULTS as error:
            # Of one subscriber, such as a record rule that is broken: no reason to leave the others, or whoever makes
            # the change, without what they are about.
            _logger.warning("Token %s: %s was not checked (%s)", credential.token_id, uri, type(error).__name__)
            return False
        return True

    def _check_open(self, call, uri: str) -> None:
        """:raises ToolError: what the URI is about is not open to the caller"""
        address = self.env["mcp.subscription"]._address(uri)
        if address is None:
            return
        arguments = address.arguments
        if address.kind == "attachment":
            call.attachment(arguments["id"])
        elif record := topics.watched(address):
            call.records(record[0], "read", [record[1]])
        elif address.kind in ("model", "access", "workflow"):
            call.check_model(arguments.get("name") or arguments.get("model"))
        elif address.kind == "prompt":
            call.env["mcp.prompt"]._named(call, arguments["name"])
        elif address.kind == "custom" and not call.env["mcp.resource"].search([("slug", "=", arguments["slug"])]):
            raise ToolError("not_found", "There is no such resource.")
