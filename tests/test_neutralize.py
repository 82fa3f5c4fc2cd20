from odoo.tests import tagged
from odoo.tools.misc import file_open

from .common import McpCase
from .oauth_flow import SECRET, OAuthMixin


@tagged("post_install", "-at_install")
class TestNeutralize(OAuthMixin, McpCase):
    def neutralize(self):
        self.env.flush_all()
        # As `odoo.modules.neutralize` does for every module; the other modules' part is not ours to try.
        with file_open("mcp_endpoint/data/neutralize.sql") as file:
            self.env.cr.execute(file.read())
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()

    def test_a_neutralized_copy_accepts_nothing_of_the_original(self):
        answer, personal, code = self.connect(), self.issue(), self.code()
        self.make_client("confidential", auth_method="client_secret_post", grant_types="client_credentials")
        provider = self.env["mcp.identity.provider"].create(
            {"name": "IdP", "issuer": "https://idp.example.com", "accepts_bearer": True}
        )
        self.neutralize()
        self.assertFalse(provider.active)
        self.assertIsNone(self.state(answer))
        self.assertEqual(self.env["mcp.token"]._find(personal).refusal, "token_revoked")
        for form in (
            self.form_of_code(code),
            self.form_of_refresh(answer["refresh_token"]),
            {"grant_type": "client_credentials", "client_id": "confidential", "client_secret": SECRET},
        ):
            self.refused("invalid_client", form, status=401)
        self.client.blocked = False
        self.refused("invalid_grant", self.form_of_code(code))
        self.refused("invalid_grant", self.form_of_refresh(answer["refresh_token"]))
