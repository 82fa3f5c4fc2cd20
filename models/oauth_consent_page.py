from urllib.parse import quote

from odoo import api, models

from ..services.oauth import client_document, redirect_uri, scopes, vendors
from ..services.oauth.authorization import Parameters
from ..services.oauth.pages import Page

LONGEST_NAME = 100
# An https address is gone to at once. The others may have nobody listening: the page stays in view, and in the
# browser's history, for those who need its address (browsers replace a page that refreshes within a second).
DELAYS = {"https": 0, "loopback": 2, "private": 0}


class McpOauthRequest(models.Model):
    """What the pages say about a request: nothing that a client could have made up goes unmarked."""

    _inherit = "mcp.oauth.request"

    def _common_values(self, client, parameters: Parameters) -> dict:
        """Return what every page about a request shows: who asks, where the answer goes, and who is logged in."""
        user = self.env.user
        resume = self._path("authorize/continue", self.key)
        return {
            "consent_path": self._path("consent", self.key),
            "binding": self._binding(),
            "client": self._client_name(client, parameters),
            "client_kind": client.kind,
            "client_host": client_document.host(client.client_id) if client.kind == "cimd" else False,
            "is_snapshot": client.is_snapshot,
            "destination": redirect_uri.kind(parameters.redirect_uri),
            "host": _place(parameters.redirect_uri),
            "scheme": parameters.redirect_uri.partition(":")[0],
            "owner": vendors.owner(parameters.redirect_uri),
            "impersonated": vendors.impersonated(client.name or "", parameters.redirect_uri),
            "user": user.name,
            "login": user.login,
            "switch_url": f"/web/session/logout?redirect={quote(resume, safe='')}",
        }

    def _consent_values(self, client, parameters: Parameters, offered: tuple[str, ...]) -> dict:
        profiles = self.env["mcp.profile"]._available_to(self.env.user)
        fitting = profiles.filtered(lambda profile: profile.access_level == scopes.level(offered))
        return {
            **self._common_values(client, parameters),
            "scopes": [{"name": name, **self._scope_words()[name]} for name in offered],
            "profiles": profiles,
            "chosen": (fitting or profiles)[:1],
            "company": self.env.company.name,
            "database": self.env.cr.dbname,
            "resource": self.env["mcp.oauth.server"]._resource(),
            "absolute_days": self.env["mcp.token"]._grant_days(),
            "idle_days": self.env["mcp.oauth.refresh"]._idle_days(),
        }

    @api.model
    def _refusal(self) -> str | None:
        """Say why the user who is logged in cannot connect applications, None when they can."""
        user = self.env.user
        if user._is_superuser():
            return "superuser"
        if not user._may_use_mcp():
            return "external" if user.share else "group"
        return None if self.env["mcp.profile"]._available_to(user) else "profile"

    def _handed_over(self, client, parameters: Parameters, url: str, *, allowed: bool = False) -> Page:
        """Return the page that goes to the client's address by itself, and shows the way where a browser will not.

        A page, because browsers hold a redirect that answers a form against the form's own restrictions (CSP
        `form-action`, HTTPS-only mode), on every hop, and then do nothing at all.
        """
        kind = redirect_uri.kind(parameters.redirect_uri)
        values = {
            "client": self._client_name(client, parameters),
            "destination": kind,
            "host": _place(parameters.redirect_uri),
            "url": url,
            "delay": DELAYS[kind],
            "allowed": allowed,
        }
        return Page("return", values)

    @api.model
    def _client_name(self, client, parameters: Parameters) -> str:
        # Nothing invisible: it could reverse the text around it, or make two names look alike.
        name = "".join(letter for letter in client.name or "" if letter.isprintable()).strip()
        if not name:
            return _place(parameters.redirect_uri)
        return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"

    @api.model
    def _scope_words(self) -> dict[str, dict[str, str]]:
        return {
            "mcp:read": {
                "title": self.env._("Look up your data"),
                "help": self.env._("Search, read and summarise the records that you can see."),
            },
            "mcp:write": {
                "title": self.env._("Make changes for you"),
                "help": self.env._("Create and change records, use buttons and send messages in your name."),
            },
            "mcp:admin": {
                "title": self.env._("Administer"),
                "help": self.env._("Change settings and the structure of this database, as far as you may."),
            },
        }


def _place(uri: str) -> str:
    """Return where an answer goes: the host with its port, for a scheme of an application the scheme too."""
    if redirect_uri.kind(uri) == "private":
        return uri.partition("?")[0]
    return redirect_uri.host(uri)
