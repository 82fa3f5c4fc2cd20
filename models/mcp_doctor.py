import secrets
import time
from contextlib import contextmanager
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import config, hash_sign, verify_hash_signed

from ..services import secret_tokens
from ..services.doctor import outcome, table
from ..services.doctor.caller import Caller
from ..services.doctor.login import CALLBACK, CLIENT_NAME
from ..services.doctor.outcome import Finding
from ..services.doctor.visit import Facts, Visit

ECHO_PATH = "/mcp/doctor"
SCOPE = "mcp-doctor"
LIFE = timedelta(minutes=5)
LONGEST_KEY = 512
# What has to be changed comes first; otherwise the order is that of the way.
RANKS = {outcome.FAILED: 0, outcome.WARNING: 1}
# In a web request, which holds a worker meanwhile.
SECONDS = 25.0


# Results of a moment, and no dialog.
class McpDoctor(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """A run of all checks of the connection, and what they found."""

    _name = "mcp.doctor"
    _description = "MCP Connection Check"
    _transient_max_hours = 24.0

    name = fields.Char(default=lambda self: self.env._("Connection"), readonly=True)
    state = fields.Selection(
        [("ok", "Ready"), ("warning", "Works, with warnings"), ("failed", "Something is in the way")], readonly=True
    )
    url = fields.Char(string="Endpoint", readonly=True)
    summary = fields.Char(readonly=True)
    report = fields.Text(readonly=True)
    line_ids = fields.One2many("mcp.doctor.line", "doctor_id", readonly=True)

    @api.model
    def action_open(self):
        """Menu *Check Connection*: run the checks and show what they found."""
        return self.create({}).action_run()

    def action_run(self):
        """Button *Run again*."""
        self.ensure_one()
        self._check_is_admin()
        facts, findings = self._run(self.env.user, SECONDS, is_request=True)
        statuses = {finding.status for finding in findings}
        self.write(
            {
                "state": next((status for status in ("failed", "warning") if status in statuses), "ok"),
                "url": facts.mcp_url,
                "summary": outcome.summary(findings),
                "report": outcome.report(f"MCP Server, {facts.mcp_url}", findings),
                "line_ids": [
                    fields.Command.clear(),
                    *(
                        fields.Command.create(
                            {
                                "name": finding.name,
                                "title": finding.title,
                                "status": finding.status,
                                "rank": RANKS.get(finding.status, len(RANKS)),
                                "seen": finding.outcome.seen,
                                "fix": finding.outcome.fix,
                            }
                        )
                        for finding in findings
                    ),
                ],
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Check Connection"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
        }

    @api.model
    def _check_is_admin(self) -> None:
        if not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            raise AccessError(self.env._("Only an MCP administrator may check the connection."))

    @api.model
    def _report(self, seconds: float) -> tuple[str, bool]:
        """Return the report as text, and whether a check has failed. For the command line."""
        group = self.env.ref("mcp_endpoint.group_mcp_admin")
        users = self.env["res.users"].search([("all_group_ids", "in", group.id)], order="id")
        user = users.filtered(lambda user: user._may_use_mcp())[:1]
        facts, findings = self._run(user, seconds, is_request=False)
        report = outcome.report(f"MCP Server, {facts.mcp_url}", findings)
        return report, any(finding.status == outcome.FAILED for finding in findings)

    @api.model
    def _run(self, user, seconds: float, *, is_request: bool) -> tuple[Facts, list[Finding]]:
        """Return the facts that the checks started from, and what each found, in at most this many seconds.

        :param user: whose rights the call with a token has
        """
        facts = self._facts(is_request=is_request)
        with self._token(user) as token:
            echo_url = f"{facts.origin}{ECHO_PATH}/{self._echo_key()}{self._server()._database_query()}"
            visit = Visit(facts, Caller(time.monotonic() + seconds), token, echo_url)
            try:
                findings = list(table.run(visit))
            finally:
                self._forget_client(visit.client_id)
            self._note_routing(visit.are_streams_routed)
            return facts, findings

    @api.model
    def _note_routing(self, are_streams_routed: bool | None) -> None:
        """Let the server offer streams if requests for them have been seen to arrive, and stop it if they do not."""
        server = self.env["mcp.server"]
        if are_streams_routed is None or are_streams_routed == server._streams_routed() or not config["workers"]:
            return
        registry = self.env.registry
        with registry.cursor() as cr:
            # sudo: a system parameter; an administrator of the endpoint runs the check that decides it.
            parameters = self.env(cr=cr)["ir.config_parameter"].sudo()
            parameters.set_param("mcp_endpoint.streams_routed", are_streams_routed)
        # On the command line nobody else tells the workers.
        registry.signal_changes()

    @contextmanager
    def _token(self, user):
        """Give the secret of a token that only reads, and that is gone after the block; None where there can be none.

        Another worker has to know it, so it is committed, and removed, by transactions of its own. It is not minted as
        people mint theirs: nobody gets it, and its owner need not be told.
        """
        if not user or not user._may_use_mcp():
            yield None
            return
        secret = secret_tokens.new_token(secret_tokens.PERSONAL_PREFIX)
        values = {
            "name": CLIENT_NAME,
            "user_id": user.id,
            "profile_id": self.env.ref("mcp_endpoint.profile_read").id,
            "hint": secret_tokens.hint(secret),
            "digest": self.env["mcp.token"]._digest(secret),
            "expires_at": fields.Datetime.now() + LIFE,
        }
        with self.env.registry.cursor() as cr:
            # sudo: nobody may create rows over RPC; the user who runs the check is an administrator.
            token = self.env(cr=cr)["mcp.token"].sudo().create(values).id
        try:
            yield secret
        finally:
            with self.env.registry.cursor() as cr:
                # sudo: as above; the row is the one just made.
                own = self.env(cr=cr)["mcp.token"].sudo().browse(token)
                own._revoke()
                own.unlink()

    def _forget_client(self, client_id: str | None) -> None:
        """Remove the application that has registered itself for the check."""
        if not client_id:
            return
        with self.env.registry.cursor() as cr:
            # sudo: clients are for administrators; this one is ours, by its id, name and address.
            clients = self.env(cr=cr)["mcp.oauth.client"].sudo()
            domain = [("client_id", "=", client_id), ("name", "=", CLIENT_NAME), ("redirect_uris", "=", CALLBACK)]
            clients.search([*domain, ("last_used_at", "=", False)]).unlink()

    @api.model
    def _echo_key(self) -> str:
        # sudo: hash_sign reads the database's secret.
        return hash_sign(self.env(su=True), SCOPE, secrets.token_hex(8), expiration=LIFE)

    @api.model
    def _knows(self, key: str) -> bool:
        """Say whether a request is from a running check of this database."""
        try:
            # sudo: reads the database's secret.
            return len(key) < LONGEST_KEY and bool(verify_hash_signed(self.env(su=True), SCOPE, key))
        except ValueError:
            return False


class McpDoctorLine(models.TransientModel):  # pylint: disable=no-wizard-in-models
    """What one check found."""

    _name = "mcp.doctor.line"
    _description = "MCP Connection Check Result"
    _order = "rank, id"

    doctor_id = fields.Many2one("mcp.doctor", required=True, ondelete="cascade")
    name = fields.Char(readonly=True)
    title = fields.Char(string="Check", readonly=True)
    status = fields.Selection(
        [("ok", "OK"), ("warning", "Warning"), ("failed", "Failed"), ("skipped", "Skipped")], readonly=True
    )
    rank = fields.Integer(readonly=True)
    seen = fields.Text(string="What was seen", readonly=True)
    fix = fields.Text(string="What to change", readonly=True)
