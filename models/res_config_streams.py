from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .event_streams import MOST_OF_TOKEN, MOST_OF_USER, MOST_STREAMS
from .mcp_stream_event import DEFAULT_MINUTES

# Field: the largest value that makes sense.
HIGHEST = {"mcp_streams": 10_000, "mcp_streams_token": 1000, "mcp_streams_user": 10_000, "mcp_event_minutes": 1440}


class ResConfigSettings(models.TransientModel):
    """Event streams that stay open."""

    _inherit = "res.config.settings"

    mcp_streams_routed = fields.Boolean(
        string="Streams reach the evented process", config_parameter="mcp_endpoint.streams_routed"
    )
    mcp_streams = fields.Integer(
        string="Streams at the same time", default=MOST_STREAMS, config_parameter="mcp_endpoint.streams"
    )
    mcp_streams_token = fields.Integer(
        string="Streams of a token", default=MOST_OF_TOKEN, config_parameter="mcp_endpoint.streams_token"
    )
    mcp_streams_user = fields.Integer(
        string="Streams of a user", default=MOST_OF_USER, config_parameter="mcp_endpoint.streams_user"
    )
    mcp_event_minutes = fields.Integer(
        string="Keep events of streams for", default=DEFAULT_MINUTES, config_parameter="mcp_endpoint.event_minutes"
    )

    # A choice and not a number: Odoo's settings cannot keep a 0 apart from "not set".
    mcp_hold_seconds = fields.Selection(
        [("0", "Never"), ("10", "10 seconds"), ("20", "20 seconds"), ("40", "40 seconds"), ("60", "60 seconds")],
        string="Hold a stream while its user is asked for",
        default="20",
        config_parameter="mcp_endpoint.hold_seconds",
    )

    @api.constrains(*HIGHEST)
    def _check_mcp_streams(self):
        for name, highest in HIGHEST.items():
            if any(not 1 <= settings[name] <= highest for settings in self):
                raise ValidationError(
                    self.env._(
                        "MCP Server: “%(setting)s” is between 1 and %(highest)s.",
                        setting=self._fields[name]._description_string(self.env),
                        highest=highest,
                    )
                )
