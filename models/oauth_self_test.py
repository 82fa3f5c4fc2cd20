from odoo import api, models

from ..services.oauth import known_clients
from ..services.safe_fetch import FetchRefused

PASSED = "ok"


class McpOauthServer(models.AbstractModel):
    """Whether this server reaches the internet. A client that may use an address as its id never falls back to
    registering itself, so the offer is made only where addresses can be looked up."""

    _inherit = "mcp.oauth.server"

    @api.model
    def _extra_metadata(self) -> dict:
        offered = self.env["mcp.oauth.client"]._takes_documents() and self._parameter("cimd_check") == PASSED
        return super()._extra_metadata() | ({"client_id_metadata_document_supported": True} if offered else {})

    @api.model
    def _cron_check_egress(self) -> None:
        """Fetch a vendor's document and note the outcome, for the metadata and the settings."""
        self._note_egress(self._egress_failure() or PASSED)

    @api.model
    def _egress_failure(self) -> str | None:
        """Return why no document can be fetched, None if one was."""
        reasons = []
        for url in known_clients.SELF_TEST:
            try:
                self.env["mcp.egress"]._fetch_json(url)
            except FetchRefused as error:
                reasons.append(str(error))
            else:
                return None
        return " ".join(reasons)

    @api.model
    def _note_egress(self, outcome: str) -> None:
        # Written on change alone: every write empties caches of all workers.
        if outcome != self._parameter("cimd_check"):
            # sudo: a note of this server about itself.
            self.env["ir.config_parameter"].sudo().set_param("mcp_endpoint.cimd_check", outcome)
