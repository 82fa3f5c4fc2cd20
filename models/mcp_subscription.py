import contextlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..services import topics
from ..services.errors import InvalidParams
from ..services.uri import Address, parse

MOST_URIS = 100
LONGEST_URI = 1000
# A listener that is not heard of for so long is gone: its process was killed.
LISTENER_LIFE = timedelta(hours=2)
PURGE_BATCH = 10_000
# Somebody who deletes records does not wait for longer than asking for so many subscriptions takes.
MOST_ASKED = 200


@contextlib.contextmanager
def _apart(env: api.Environment) -> Iterator[None]:
    """Keep what goes wrong in the block out of the transaction, which is somebody else's."""
    # What they have pending is theirs, and so are its errors.
    env.flush_all()
    with env.cr.savepoint(flush=False):
        yield


class McpSubscription(models.Model):
    """Which resources somebody wants to hear of: a session (`resources/subscribe`), or a listening stream.

    A stream finds its own in memory. `mcp.watched.model` tells every worker which changes are worth a notice.
    """

    _name = "mcp.subscription"
    _description = "MCP Resource Subscription"

    session_id = fields.Many2one("mcp.session", readonly=True, index="btree_not_null", ondelete="cascade")
    listener = fields.Char(readonly=True, index="btree_not_null")
    token_id = fields.Many2one("mcp.token", required=True, readonly=True, index=True, ondelete="cascade")
    uri = fields.Char(string="URI", required=True, readonly=True)
    model = fields.Char(readonly=True, help="Whose records are watched for it.")
    res_id = fields.Integer(readonly=True)
    alive_at = fields.Datetime(readonly=True)

    _session_uri_unique = models.UniqueIndex("(session_id, uri)", "A session subscribes to a resource once.")
    _by_record = models.Index("(model, res_id) WHERE model IS NOT NULL")

    @api.model
    def _checked(self, uris: object) -> list[str]:
        """Return URIs that a client wants to hear of.

        :raises InvalidParams: they are no URIs, or too many
        """
        if not isinstance(uris, list) or not all(isinstance(uri, str) and 0 < len(uri) <= LONGEST_URI for uri in uris):
            raise InvalidParams(f"Resources are named by their URIs, texts of 1 to {LONGEST_URI} characters.")
        found = list(dict.fromkeys(uris))
        if len(found) > MOST_URIS:
            raise InvalidParams(f"No more than {MOST_URIS} resources can be subscribed to at a time.")
        return found

    @api.model
    def _topics(self, uri: str) -> tuple[str, ...]:
        return topics.of_uri(uri, self._address(uri))

    @api.model
    def _address(self, uri: str) -> Address | None:
        """Return what a URI of ours names, None for that of another addon and for one that names nothing."""
        try:
            return parse(uri, self.env["mcp.resource"]._templates())
        except ValueError:
            return None

    @api.model
    def _subscribe(self, session_id: int, token_id: int, uri: str) -> None:
        """Note that a session wants to hear of a resource. :raises InvalidParams: it wants too many"""
        existing = self._of_session(session_id)
        if uri in existing:
            return
        self._checked([*existing, uri])
        self._add([uri], {"session_id": session_id, "token_id": token_id})
        self.env["mcp.notice"]._send([f"session:{session_id}"])

    @api.model
    def _unsubscribe(self, session_id: int, uri: str) -> None:
        # sudo: nobody has access to the model; `mcp.session._find` has checked whose session it is.
        if found := self.sudo().search([("session_id", "=", session_id), ("uri", "=", uri)]):
            found.unlink()
            self.env["mcp.notice"]._send([f"session:{session_id}"])

    @api.model
    def _listen(self, listener: str, token_id: int, uris: Sequence[str]) -> None:
        """Note what a listening stream wants to hear of."""
        self._add(uris, {"listener": listener, "token_id": token_id, "alive_at": fields.Datetime.now()})

    @api.model
    def _forget_listeners(self, listeners: Iterable[str]) -> None:
        self.env.cr.execute(SQL("DELETE FROM mcp_subscription WHERE listener = ANY(%s)", list(listeners)))

    @api.model
    def _keep_listeners(self, listeners: Iterable[str]) -> None:
        """Note that these streams are still open."""
        self.env.cr.execute(
            SQL(
                "UPDATE mcp_subscription SET alive_at = %s WHERE listener = ANY(%s)",
                fields.Datetime.now(),
                list(listeners),
            )
        )

    @api.model
    def _of_session(self, session_id: int) -> list[str]:
        self.env.cr.execute(SQL("SELECT uri FROM mcp_subscription WHERE session_id = %s ORDER BY id", session_id))
        return [uri for (uri,) in self.env.cr.fetchall()]

    @api.model
    def _note_gone(self, model: str, ids: Sequence[int]) -> None:
        """Tell those who subscribe to records that are about to be deleted. Afterwards nobody could say any more who
        was allowed to read them, so that is asked now."""
        self.env.cr.execute(
            SQL(
                "SELECT DISTINCT token_id, uri FROM mcp_subscription WHERE model = %s AND res_id = ANY(%s) LIMIT %s",
                model,
                list(ids),
                MOST_ASKED,
            )
        )
        wanted: dict[int, set[str]] = {}
        for token_id, uri in self.env.cr.fetchall():
            wanted.setdefault(token_id, set()).add(uri)
        for token_id, uris in wanted.items():
            # sudo: whose token it is and which limits it has, to ask with exactly these.
            credential = self.env["mcp.token"].sudo().browse(token_id)._as_credential()
            theirs = self.env(user=credential.user_id, context={}, su=False)["mcp.server"]
            told = theirs._readable(credential, uris, _apart)
            self.env["mcp.notice"]._send(topics.gone(token_id, uri) for uri in told)

    def _add(self, uris: Iterable[str], values: dict) -> None:
        rows = []
        for uri in uris:
            record = topics.watched(self._address(uri))
            model, res_id = record or (False, False)
            rows.append({**values, "uri": uri, "model": model, "res_id": res_id})
        # sudo: nobody has access to the model; the caller has checked whose stream it is.
        self.sudo().create(rows)
        # Only what exists: each new name empties a cache of every worker, and a client may make up any.
        self.env["mcp.watched.model"]._need({row["model"] for row in rows if row["model"] in self.env})

    @api.autovacuum
    def _gc_subscriptions(self):
        """Remove those of listeners that are gone and of sessions that are over."""
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """
                DELETE FROM mcp_subscription WHERE id IN (
                    SELECT s.id FROM mcp_subscription s LEFT JOIN mcp_session c ON c.id = s.session_id
                     WHERE s.alive_at < %s OR c.ended_at IS NOT NULL OR c.expires_at < %s LIMIT %s)
                """,
                now - LISTENER_LIFE,
                now,
                PURGE_BATCH,
            )
        )
        return self.env.cr.rowcount, self.env.cr.rowcount == PURGE_BATCH
