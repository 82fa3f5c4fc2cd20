import hashlib
from datetime import datetime, timedelta

import psycopg2
from odoo import api, fields, models
from odoo.tools import SQL

from ..services.address_block import address_block
from .retention import purge

# The table never has more rows, whoever sends what: each sender is hashed to one of them. Two that share a row are
# counted together, which costs neither of them anything while their credentials are right.
SLOTS = 4096
# So many failures are answered at once; each further one doubles the time to wait, up to the longest.
FREE_FAILURES = 20
LONGEST_WAIT = 900
# A sender who was quiet for this long starts anew.
MEMORY = timedelta(hours=1)
KEPT_DAYS = 30


class McpAuthFailure(models.Model):
    """Failed authentications, counted by sender: what slows guessing down, and what an administrator sees of it.

    Right credentials are never looked up here: others who fail behind the same address cannot lock them out.
    """

    _name = "mcp.auth.failure"
    _description = "MCP Refused Connection"
    _log_access = False
    _order = "last_at desc, id"
    _rec_name = "address"

    slot = fields.Integer(required=True, readonly=True, groups=fields.NO_ACCESS)
    kind = fields.Selection(
        [
            ("token", "Unknown token"),
            ("dead", "Expired or revoked token"),
            ("address", "Address that the profile is not open to"),
            ("client", "Wrong client secret"),
            ("code", "Unknown authorization code"),
            ("refresh", "Unknown refresh token"),
            ("assertion", "Refused assertion"),
        ],
        string="What was refused",
        required=True,
        readonly=True,
    )
    address = fields.Char(readonly=True, help="An IPv6 sender is counted with its /64 network. The latest one.")
    client = fields.Char(string="Client ID", readonly=True, help="Of failures counted by registered client.")
    failures = fields.Integer(string="In a Row", readonly=True, help="Since the sender was last quiet for an hour.")
    total = fields.Integer(
        string="Counted", readonly=True, help="Attempts while a sender has to wait are refused without being counted."
    )
    first_at = fields.Datetime(string="First", readonly=True)
    last_at = fields.Datetime(string="Last", readonly=True, index=True)
    blocked_until = fields.Datetime(string="Has to Wait Until", readonly=True)

    _slot_unique = models.UniqueIndex("(slot)", "A sender is counted once.")

    @api.model
    def _note(self, kind: str, address: str, client_id: str | None = None) -> int:
        """Count a failed authentication; return how many seconds its sender has to wait, 0 for an ordinary refusal.

        It writes on a cursor of its own, because the refused request rolls back, and not at all while the sender has
        to wait. Call it only once the credentials are known to be wrong.

        :param kind: one of the selection of the field
        :param client_id: of a client that is registered; its failures are counted from all addresses together
        """
        block = address_block(address)
        senders = [(self._slot(kind, block), None)]
        if client_id:
            senders.append((self._slot(kind, client_id, by="client"), client_id))
        now = fields.Datetime.now()
        if wait := self._wait([slot for slot, _client in senders], now):
            return wait
        try:
            with self.env.registry.cursor() as cr:
                waits = [self._count(cr, slot, kind, block, client, now) for slot, client in senders]
        except psycopg2.errors.SerializationFailure:
            # Another worker has counted this sender at the same moment; see `_count`.
            return 0
        return max(waits)

    @api.model
    def _slot(self, kind: str, sender: str, by: str = "address") -> int:
        # sudo: the database's id is no secret, but parameters are for administrators. It keeps a sender from choosing
        # whom to share a row with.
        database_id = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        digest = hashlib.sha256(f"{database_id}\0{by}\0{kind}\0{sender}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % SLOTS

    def _wait(self, slots: list[int], now: datetime) -> int:
        """Return the seconds that one of these senders still has to wait."""
        self.env.cr.execute(
            SQL(
                "SELECT max(blocked_until) FROM mcp_auth_failure WHERE slot IN %s AND blocked_until > %s",
                tuple(slots),
                now,
            )
        )
        until = self.env.cr.fetchone()[0]
        return _seconds(until - now) if until else 0

    def _count(self, cr, slot: int, kind: str, block: str, client: str | None, now: datetime) -> int:
        """Add one failure to a sender's row and return the seconds it has to wait from now on."""
        cr.execute(
            SQL(
                """
                INSERT INTO mcp_auth_failure AS known
                            (slot, kind, address, client, failures, total, first_at, last_at)
                     VALUES (%(slot)s, %(kind)s, %(block)s, %(client)s, 1, 1, %(now)s, %(now)s)
                ON CONFLICT (slot) DO UPDATE
                        SET kind = EXCLUDED.kind, address = EXCLUDED.address, client = EXCLUDED.client,
                            failures = CASE WHEN known.last_at < %(forgotten)s THEN 1 ELSE known.failures + 1 END,
                            total = known.total + 1, last_at = EXCLUDED.last_at
                  RETURNING failures
                """,
                slot=slot,
                kind=kind,
                block=block,
                client=client,
                now=now,
                forgotten=now - MEMORY,
            ),
            # Two failures of one sender at the same moment: one of them goes uncounted, which is no error to log.
            log_exceptions=False,
        )
        failures = cr.fetchone()[0]
        if failures <= FREE_FAILURES:
            return 0
        wait = min(2 ** min(failures - FREE_FAILURES, 16), LONGEST_WAIT)
        cr.execute(
            SQL("UPDATE mcp_auth_failure SET blocked_until = %s WHERE slot = %s", now + timedelta(seconds=wait), slot)
        )
        return wait

    @api.autovacuum
    def _gc_quiet(self):
        """Delete the rows of senders who have been quiet for a month."""
        return purge(self, SQL("last_at < %s", fields.Datetime.now() - timedelta(days=KEPT_DAYS)))


def _seconds(span: timedelta) -> int:
    return max(1, int(span.total_seconds()))
