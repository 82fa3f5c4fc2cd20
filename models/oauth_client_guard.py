from odoo import api, models
from odoo.exceptions import AccessError

ADMINISTRATORS_KINDS = ("manual", "machine")
# What governs a client without making it more than it is.
SWITCHES = frozenset({"active", "blocked"})
# Read-only on the screen, and set there all the same: by a button, and by pasting a key.
BY_OTHER_MEANS = frozenset({"blocked", "jwks"})


class McpOauthClient(models.Model):
    """What an MCP Administrator may make of a client: less than the fields would let them.

    A machine's credentials are its user's access rights, so who makes a machine for somebody else works as that
    person. Administrators of the settings may, since they can take any user's place already; an MCP Administrator
    governs assistants and is nobody else's equal, so theirs work as themselves. And what applications say of
    themselves is what the consent page shows as fact (whose document it is, where answers go): nobody edits it.
    """

    _inherit = "mcp.oauth.client"

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_are_editable(vals)
            kind = vals.get("kind", "manual")
            if not self.env.su and kind not in ADMINISTRATORS_KINDS:
                raise AccessError(self.env._("Applications introduce themselves; add yours as another kind."))
        clients = super().create(vals_list)
        clients._check_may_give_rights()
        return clients

    def write(self, vals):
        if vals.keys() - SWITCHES:
            self._check_are_editable(vals)
            self._check_are_administrators(vals)
            self._check_may_give_rights()
        return super().write(vals)

    def copy_data(self, default=None):
        copied = super().copy_data(default)
        return [{name: value for name, value in vals.items() if name not in self._facts()} for vals in copied]

    @api.model
    def _facts(self) -> frozenset[str]:
        """Return the fields that applications and Odoo itself fill in."""
        own = (name for name, field in self._fields.items() if field.store and field.readonly)
        return frozenset(own) - BY_OTHER_MEANS

    @api.model
    def _check_are_editable(self, vals: dict) -> None:
        """:raises AccessError: values for fields that nobody fills in by hand"""
        facts = vals.keys() & self._facts()
        if facts and not self.env.su:
            names = ", ".join(sorted(facts))
            raise AccessError(self.env._("Odoo fills in these fields of a client itself: %s", names))

    def _check_are_administrators(self, vals: dict) -> None:
        """:raises AccessError: an application said it of itself, or it is what a client is for good: kind and user"""
        if self.env.su:
            return
        for client in self:
            if client.kind not in ADMINISTRATORS_KINDS or vals.get("kind", client.kind) != client.kind:
                raise AccessError(self.env._("What an application says of itself cannot be changed. You can block it."))
            if client.user_id and vals.get("user_id", client.user_id.id) != client.user_id.id:
                # Who knows its secret now would work as somebody else.
                raise AccessError(self.env._("A machine stays with its user. Add another one for another user."))

    def _check_may_give_rights(self) -> None:
        """:raises AccessError: a machine among these works as somebody whose place the current user may not take"""
        if self.env.su or self.env.user.has_group("base.group_system"):
            return
        if any(client.kind == "machine" and client.user_id != self.env.user for client in self):
            raise AccessError(
                self.env._(
                    "Whoever sets up a machine can work with the rights of its user. Only an administrator of the "
                    "settings may do that for another user than themselves."
                )
            )
