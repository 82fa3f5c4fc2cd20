from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools.translate import get_translation

from ..services.connect import BY_KEY, GUIDES
from ..services.connect.guide import PLACEHOLDER, Guide, Way, href_of, reach_of, text_of


class McpConnect(models.AbstractModel):
    """What the page *Connect* shows: how each client is connected to this database, by this user."""

    _name = "mcp.connect"
    _description = "Connect an Assistant"

    @api.model
    def get_page(self) -> dict:
        """Return the address, what stands in the way, and the guides.

        :raises AccessError: the user may not connect assistants
        """
        user = self.env.user
        if not user._may_use_mcp():
            raise AccessError(self.env._("You may not connect assistants. Ask an administrator."))
        return {
            "url": user.mcp_url,
            "may_mint": user._may_mint_mcp_tokens(),
            "warnings": self._warnings(),
            "kinds": self._kinds(),
            "guides": [self._guide_values(guide) for guide in GUIDES],
        }

    @api.model
    def _token_guides(self, token: str | None) -> list[dict]:
        """Return how a token is given to each client that takes one."""
        return [
            {
                "key": guide.key,
                "name": self._translated(guide.name),
                **self._way_values(guide.token, self.env.user.mcp_url, token or PLACEHOLDER),
            }
            for guide in GUIDES
            if guide.token
        ]

    @api.model
    def _client_name(self, key: str | None) -> str | None:
        """Return a client's name, for the token that is made for it."""
        return BY_KEY[key].name if key in BY_KEY else None

    def _kinds(self) -> list[dict]:
        return [
            {"key": "assistant", "name": self.env._("Assistants")},
            {"key": "terminal", "name": self.env._("In the terminal")},
            {"key": "editor", "name": self.env._("Editors")},
            {"key": "program", "name": self.env._("Automation and development")},
        ]

    def _guide_values(self, guide: Guide) -> dict:
        titles = {"login": self.env._("By login"), "token": self.env._("By token")}
        return {
            "key": guide.key,
            "name": self._translated(guide.name),
            "kind": guide.kind,
            "summary": self._translated(guide.summary),
            "ways": [
                {
                    "key": key,
                    "title": titles[key],
                    "problem": self._problem(key, way),
                    **self._way_values(way, self.env.user.mcp_url, PLACEHOLDER),
                }
                for key, way in guide.ways.items()
            ],
        }

    def _way_values(self, way: Way, url: str, token: str) -> dict:
        return {
            "steps": [self._translated(step) for step in way.steps],
            "snippets": [
                {
                    "where": self._translated(snippet.where),
                    "language": snippet.language,
                    "text": text_of(snippet, url, token),
                }
                for snippet in way.snippets
            ],
            "link": {"label": self._translated(way.link.label), "href": href_of(way.link, url)} if way.link else False,
        }

    def _problem(self, key: str, way: Way) -> str | bool:
        """Return why this way cannot work here, False if it can."""
        if key == "login" and not self.env["mcp.oauth.server"]._is_enabled():
            return self.env._("Login for applications is switched off in the settings. Use a token.")
        if way.is_cloud and reach_of(self.env.user.mcp_url) != "public":
            return self.env._(
                "It connects from its maker's servers, over the internet and by https only. They cannot reach %s.",
                self.env.user.mcp_url,
            )
        if key == "token" and not self.env.user._may_mint_mcp_tokens():
            return self.env._("An administrator has to let you make tokens first.")
        return False

    def _warnings(self) -> list[dict]:
        """Return what concerns every client, each with the `level` of Bootstrap's alerts."""
        url = self.env.user.mcp_url
        server = self.env["mcp.oauth.server"]
        warnings = []
        match reach_of(url):
            case "local":
                text = self.env._("This address works on this computer only. Assistants on the web cannot reach it.")
                warnings.append({"level": "info", "text": text})
            case "private":
                text = self.env._("This address works inside your network only. Assistants on the web cannot reach it.")
                warnings.append({"level": "info", "text": text})
            case "insecure":
                text = self.env._(
                    "This address is not encrypted (http): tokens could be read on the way, and most "
                    "clients refuse to log in. Have Odoo served by https."
                )
                warnings.append({"level": "warning", "text": text})
        if not server._is_enabled():
            text = self.env._("Login for applications (OAuth) is switched off in the settings: tokens only.")
            warnings.append({"level": "warning", "text": text})
        elif server._canonical_resource(url) is None:
            text = self.env._(
                "Applications know this server as %s. Logging in at another address fails until an administrator "
                "changes one of the two.",
                server._resource(),
            )
            warnings.append({"level": "warning", "text": text})
        elif server._registration_mode() == "closed":
            text = self.env._("Only applications that an administrator has entered can log in.")
            warnings.append({"level": "info", "text": text})
        return warnings

    def _translated(self, text: str) -> str:
        """Translate a text of `services.connect`, which knows no language."""
        return get_translation("mcp_endpoint", self.env.lang or "en_US", text, ())
