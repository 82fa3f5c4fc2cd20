import logging
from dataclasses import dataclass

from odoo import api, models
from odoo.tools import SQL

from ..services import claims, jwt_check
from ..services.jwt_check import JwtRefused, Rules
from ..services.oauth import scopes
from .single_row import create_single

_logger = logging.getLogger(__name__)

ACCESS_TYPES = frozenset({"at+jwt"})
PLAIN_TYPES = frozenset({"at+jwt", "jwt", ""})
ID_JAG_TYPES = frozenset({"oauth-id-jag+jwt"})
# An ID-JAG is exchanged right after it was made.
LONGEST_ID_JAG = 3600
LEEWAY = 30


@dataclass(frozen=True)
class Identity:
    """Who a verified token is about, and what it says."""

    provider: models.BaseModel
    user: models.BaseModel
    claims: dict[str, object]


class McpIdentityProvider(models.Model):
    """From a token of the provider to the user it stands for.

    What is refused is logged for the administrator; whoever sent it learns only that it was.
    """

    _inherit = "mcp.identity.provider"

    @api.model
    def _identify_bearer(self, token: str) -> Identity | None:
        """Return whom an access token at `/mcp` stands for, None when it is not accepted."""
        return self._identify(token, "accepts_bearer")

    @api.model
    def _identify_id_jag(self, assertion: str) -> Identity | None:
        """Return whom an identity assertion authorization grant stands for, None when it is not accepted."""
        return self._identify(assertion, "accepts_id_jag")

    @api.model
    def _is_used(self, purpose: str) -> bool:
        """Say whether tokens are accepted for a purpose (a field's name): some provider is set up, PyJWT is there."""
        # sudo: providers are looked up before anybody is logged in.
        return jwt_check.is_available() and bool(self.sudo().search_count([(purpose, "=", True)], limit=1))

    def _identify(self, token: str, purpose: str) -> Identity | None:
        if not jwt_check.looks_like_jwt(token):
            return None
        try:
            seen = jwt_check.glance(token)
            # Nobody is logged in yet, and Odoo computes no groups in a transaction without any user.
            # sudo: providers and links are read to find out who it is; what follows is that user's.
            providers = self.with_user(self.env.ref("base.public_user")).sudo()
            provider = providers.search([(purpose, "=", True), ("issuer", "=", seen.issuer)])
            if not provider:
                return None
            verified = provider._verified(token, seen.kid, purpose)
            return Identity(provider, provider._user_of(verified), verified)
        except JwtRefused as error:
            _logger.info("MCP Server: a token of an identity provider was refused. %s", error)
            return None

    def _verified(self, token: str, kid: str | None, purpose: str) -> dict[str, object]:
        """Return the claims of a token of this provider. :raises JwtRefused: it breaks a rule"""
        rules = self._rules(purpose)
        seen = jwt_check.glance(token)
        if seen.type not in rules.types or seen.algorithm not in rules.algorithms:
            # Before any key is looked for.
            raise JwtRefused("It is of another type, or its algorithm is not accepted.")
        found = jwt_check.verify(token, self._signature_keys(kid), rules)
        if purpose == "accepts_bearer" and claims.is_id_token(found):
            raise JwtRefused("It is an ID token, not an access token.")
        return found

    def _rules(self, purpose: str) -> Rules:
        server = self.env["mcp.oauth.server"]
        algorithms = self.algorithms.split()
        if purpose == "accepts_id_jag":
            issuer = server._issuer()
            return Rules(
                self.issuer,
                (issuer, issuer + "/"),
                ID_JAG_TYPES,
                algorithms,
                single_audience=True,
                leeway=LEEWAY,
                longest_life=LONGEST_ID_JAG,
                required=frozenset({"jti", "client_id"}),
            )
        audiences = (self.audiences or "").split() or [server._audience()]
        return Rules(self.issuer, audiences, PLAIN_TYPES if self.accepts_plain_type else ACCESS_TYPES, algorithms)

    def _signature_keys(self, kid: str | None) -> list[dict]:
        if self.jwks:
            return self._pasted_keys()
        return self.env["mcp.key.set"]._keys(self.jwks_uri, kid, internal=self.is_internal) if self.jwks_uri else []

    def _scopes_of(self, verified: dict[str, object]) -> tuple[str, ...]:
        """Return the scopes of ours that the claims grant."""
        if self.scope_claim == "none":
            return scopes.DEFAULT_SCOPES
        mapping = claims.parse_mapping(self.scope_mapping or "") or {scope: scope for scope in scopes.LEVELS}
        names = claims.names(verified, self.scope_claim)
        return scopes.parse(" ".join(mapping[name] for name in names if name in mapping))

    def _user_of(self, verified: dict[str, object]):
        """Return the user that the claims are about.

        :raises JwtRefused: nobody is linked
        """
        subject = verified.get(self.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise JwtRefused(f"It has no “{self.subject_claim}”.")
        links = self.env["mcp.identity.link"]
        if link := links.search([("issuer", "=", self.issuer), ("subject", "=", subject)]):
            return link.user_id
        user = self._user_by_email(verified) if self.email_linking != "no" else None
        if not user:
            raise JwtRefused(f"Nobody is linked to “{subject}” of {self.name}.")
        values = {"provider_id": self.id, "subject": subject, "user_id": user.id, "by_email": True}
        create_single(links, values)
        return user

    def _user_by_email(self, verified: dict[str, object]):
        """Return the employee whose login is the verified address of the claims, None if there is not exactly one.

        By login alone: what e-mail address a contact has, its user can change. Administrators are linked by hand, and
        who is linked already stays so: a mailbox may pass on to somebody else.
        """
        email = claims.email_of(verified, self._email_domains(), verified=self.email_linking == "verified")
        if email is None:
            return None
        self.env.cr.execute(
            SQL(
                """
                SELECT id FROM res_users u
                 WHERE lower(login) = %s AND active AND NOT share
                   AND NOT EXISTS (SELECT FROM mcp_identity_link l WHERE l.user_id = u.id AND l.issuer = %s)
                """,
                email,
                self.issuer,
            )
        )
        users = self.env["res.users"].browse(row[0] for row in self.env.cr.fetchall())
        is_safe = len(users) == 1 and users.id != api.SUPERUSER_ID and not users.has_group("base.group_system")
        return users if is_safe else None
