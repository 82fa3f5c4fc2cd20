"""What tests of the token endpoint start from: a client, a code that its user has agreed to, and token requests."""

from datetime import timedelta

from freezegun import freeze_time
from odoo import fields

from ..services import secret_tokens
from ..services.oauth import pkce, scopes
from ..services.oauth.errors import OAuthError
from ..services.oauth.token_request import TokenRequest

VERIFIER = "v" * 40 + "~._-"
REDIRECT = "http://localhost:3118/callback"
SECRET = secret_tokens.new_token(secret_tokens.CLIENT_SECRET_PREFIX)


class OAuthMixin:
    """A public client `cls.client`, and the token endpoint called as its controller calls it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["ir.config_parameter"].set_param("mcp_endpoint.issuer", "http://127.0.0.1:8069")
        cls.grants = cls.env["mcp.oauth.grants"]
        cls.resource = cls.env["mcp.oauth.server"]._resource()
        cls.client = cls.make_client("public")
        cls.codes_minted = 0

    def setUp(self):
        super().setUp()
        # It writes on a cursor of its own, which no test takes back.
        self.noted, self.wait = [], 0
        self.patch(type(self.env["mcp.auth.failure"]), "_note", lambda _model, *failure: self.note(*failure))

    def note(self, *failure):
        self.noted.append(failure)
        return self.wait

    @classmethod
    def make_client(cls, client_id, **values):
        """Make a client; a confidential one has the secret `SECRET`."""
        if values.get("auth_method", "none") != "none":
            values["secret_digest"] = cls.env["mcp.token"]._digest(SECRET)
        facts = {"name": client_id, "client_id": client_id, "redirect_uris": REDIRECT, **values}
        return cls.env["mcp.oauth.client"].create(facts)

    def code(self, *, user=None, client=None, profile="full", granted=scopes.DEFAULT_SCOPES, key=None) -> str:
        """Return a code as the consent page would mint it."""
        type(self).codes_minted += 1
        return self.env["mcp.oauth.code"]._mint(
            request_key=key or f"request {self.codes_minted}",
            user=user or self.user,
            client=client or self.client,
            profile=self.profiles[profile],
            scopes=granted,
            redirect_uri=REDIRECT,
            challenge=pkce.challenge(VERIFIER),
            resource=self.resource,
        )

    def form_of_code(self, code=None, **changes):
        form = {
            "grant_type": "authorization_code",
            "code": code or self.code(),
            "redirect_uri": REDIRECT,
            "client_id": self.client.client_id,
            "code_verifier": VERIFIER,
            **changes,
        }
        return {name: value for name, value in form.items() if value is not None}

    def form_of_refresh(self, secret, **changes):
        form = {"grant_type": "refresh_token", "refresh_token": secret, "client_id": self.client.client_id, **changes}
        return {name: value for name, value in form.items() if value is not None}

    def asked(self, form, authorization=None):
        return TokenRequest(form, authorization, "192.0.2.7", "agent/1")

    def token(self, form, authorization=None) -> dict:
        """Send a token request that must succeed; the answer."""
        answer = self.grants._token(self.asked(form, authorization))
        self.env.flush_all()
        return answer

    def connect(self, **options) -> dict:
        """Redeem a fresh code; the answer."""
        client = options.get("client", self.client)
        return self.token(self.form_of_code(self.code(**options), client_id=client.client_id))

    def refresh(self, secret, **changes) -> dict:
        return self.token(self.form_of_refresh(secret, **changes))

    def refused(self, code, form, authorization=None, *, status=400, endpoint="_token") -> OAuthError:
        """Send a request that must be refused with this error, and keep what it wrote as the dispatcher does."""
        # Not assertRaises: it rolls back.
        try:
            answer = getattr(self.grants, endpoint)(self.asked(form, authorization))
        except OAuthError as error:
            self.env.flush_all()
            self.assertEqual((error.code, error.status), (code, status), error.description)
            return error
        raise AssertionError(f"Not refused: {answer}")

    def state(self, answer):
        """Return what the resource server says of an answer's access token."""
        self.env.flush_all()
        return self.env["mcp.token"]._find(answer["access_token"])

    def grant(self, answer):
        return self.env["mcp.token"].browse(self.state(answer).id)

    def later(self, **span):
        """Move the clock that codes and refresh tokens are judged by."""
        return freeze_time(fields.Datetime.now() + timedelta(**span))

    def assertAlive(self, answer):
        self.assertIsNone(self.state(answer).refusal)

    def assertDead(self, answer):
        self.assertEqual(self.state(answer).refusal, "token_revoked")
