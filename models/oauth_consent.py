from odoo import api, fields, models
from odoo.tools import SQL, consteq, hmac

from ..services.oauth import authorization, scopes
from ..services.oauth.authorization import Asked, Parameters, RequestRefused, RequestReturned
from ..services.oauth.pages import Elsewhere, Page
from .mcp_oauth_code import LIFE

CONSENT_SCOPE = "mcp_endpoint.oauth_consent"


class McpOauthRequest(models.Model):
    """Putting a stored request before the person who is logged in, and taking the answer."""

    _inherit = "mcp.oauth.request"

    @api.model
    def _show(self, key: str) -> Page | Elsewhere:
        """Return the page that asks the user, or what keeps it from being asked.

        :raises OAuthError: the request, the client or its redirect URI is not known
        """
        stored = self._opened(key)
        if stored.decision:
            raise RequestRefused("answered", "The request has been answered.", status=410)
        parameters = stored._asked()
        client = stored._client(parameters)
        try:
            asked = self._check(parameters, client)
        except RequestReturned as error:
            return self._returned(parameters, error)
        if refusal := self._refusal():
            return Page("refusal", {**stored._common_values(client, parameters), "refusal": refusal}, status=403)
        return Page("consent", stored._consent_values(client, parameters, self._grantable(asked, client)))

    @api.model
    def _decide(self, key: str, binding: str, *, allow: bool, ticked: tuple[str, ...], profile_id: int) -> Page:
        """Take the user's answer and return the page that carries it to the client.

        The same form sent again brings the same page, with the same code.

        :param binding: what `_binding` gave when the form was shown: the answer is that of whoever saw the question
        :raises RequestRefused: somebody else is logged in now, the time is up, or the user may not grant this
        """
        stored = self._opened(key)
        if not consteq(binding.encode(), stored._binding().encode()):
            raise RequestRefused("switched", "Another user has logged in since the page was shown.", status=403)
        # Waits for a parallel post of the same form. It then fails to serialize, and Odoo runs this again from the
        # start, where the other's decision is to be seen.
        query = SQL("SELECT id FROM mcp_oauth_request WHERE id = %s FOR UPDATE", stored.id)
        self.env.cr.execute(query, log_exceptions=False)
        parameters = stored._asked()
        client = stored._client(parameters)
        try:
            asked = self._check(parameters, client)
        except RequestReturned as error:
            return self._handed_over(client, parameters, self._returned(parameters, error).url)
        if not stored.decision:
            stored._note_decision(allow, self._grantable(asked, client), ticked, profile_id)
        return stored._deliver(client, parameters, asked)

    def _binding(self) -> str:
        """Return what ties a form to this request and the user who is shown it."""
        # sudo: the database's secret, used and not shown.
        return hmac(self.env(su=True), CONSENT_SCOPE, (self.key, self.env.uid))

    @api.model
    def _grantable(self, asked: Asked, client) -> tuple[str, ...]:
        """Return the scopes asked for that this client and this user may have."""
        allowed = client._scope_ceiling()
        if not self.env.user.has_group("mcp_endpoint.group_mcp_admin"):
            allowed = scopes.narrow(allowed, scopes.DEFAULT_SCOPES)
        return authorization.offered(asked.scopes, allowed)

    def _note_decision(self, allow: bool, offered: tuple[str, ...], ticked: tuple[str, ...], profile_id: int) -> None:
        values = {"decision": "deny", "decided_at": fields.Datetime.now(), "user_id": self.env.uid}
        if allow:
            user = self.env.user
            profile = self.env["mcp.profile"]._available_to(user).filtered(lambda one: one.id == profile_id)
            granted = authorization.granted(offered, ticked)
            if not user._may_use_mcp():
                raise RequestRefused("user", "The user may not connect applications.", "access_denied", 403)
            if not profile or not granted:
                raise RequestRefused("choice", "Nothing was chosen that can be granted.")
            values.update(decision="allow", profile_id=profile.id, scope=" ".join(granted))
        self.write(values)

    def _deliver(self, client, parameters: Parameters, asked: Asked) -> Page:
        # A decision is delivered again while its code may still be used.
        if self.user_id != self.env.user or self.decided_at + LIFE < fields.Datetime.now():
            raise RequestRefused("answered", "The request has been answered.", status=410)
        if self.decision == "deny":
            answer = {"error": "access_denied", "error_description": "The user has refused."}
        else:
            answer = {
                "code": self.env["mcp.oauth.code"]._mint(
                    request_key=self.key,
                    user=self.env.user,
                    client=client,
                    profile=self.profile_id,
                    scopes=scopes.parse(self.scope),
                    redirect_uri=parameters.redirect_uri,
                    challenge=parameters.code_challenge,
                    resource=asked.resource,
                )
            }
        url = self._answer_url(parameters, **answer)
        return self._handed_over(client, parameters, url, allowed=self.decision == "allow")
