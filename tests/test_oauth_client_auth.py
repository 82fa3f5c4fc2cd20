import base64
from urllib.parse import quote_plus

from odoo.tests import tagged

from ..models.oauth_client_auth import ASSERTION_TYPE
from ..services import secret_tokens
from .common import McpCase
from .oauth_flow import SECRET, OAuthMixin

WRONG = secret_tokens.new_token(secret_tokens.CLIENT_SECRET_PREFIX)


def basic(client_id, secret, encode=str):
    return "Basic " + base64.b64encode(f"{encode(client_id)}:{encode(secret)}".encode()).decode()


@tagged("post_install", "-at_install")
class TestOauthClientAuth(OAuthMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.confidential = cls.make_client("confidential", auth_method="client_secret_basic")

    def form(self, **changes):
        return self.form_of_code(self.code(client=self.confidential), **{"client_id": "confidential", **changes})

    def test_a_secret_may_be_sent_in_the_header_or_the_form(self):
        self.token(self.form(client_id=None), basic("confidential", SECRET))
        self.token(self.form(), basic("confidential", SECRET))
        self.token(self.form(client_id=None), basic("confidential", SECRET, quote_plus))
        self.token(self.form(client_secret=SECRET))

    def test_a_client_with_a_secret_may_not_come_without(self):
        for changes in ({}, {"client_secret": WRONG}, {"client_secret": "é\0"}):
            self.refused("invalid_client", self.form(**changes), status=401)

    def test_an_id_with_characters_that_are_encoded(self):
        self.confidential.client_id = "a b:c/d"
        header = basic("a b:c/d", SECRET, lambda text: quote_plus(text))
        self.token(self.form(client_id=None), header)

    def test_a_public_client_has_no_secret(self):
        self.token(self.form_of_code())
        self.refused("invalid_client", self.form_of_code(client_secret=SECRET), status=401)

    def test_unknown_client_and_wrong_secret_get_the_same_answer(self):
        self.confidential.copy({"client_id": "blocked", "blocked": True, "name": "b"}).blocked = True
        answers = {
            (error.code, error.description, error.status, error.headers)
            for error in (
                self.refused("invalid_client", self.form(client_id=client_id, client_secret=WRONG), status=401)
                for client_id in ("confidential", "nobody", "blocked", "x" * 3000, "\0")
            )
        }
        self.assertEqual(len(answers), 1)

    def test_a_basic_challenge_answers_a_basic_attempt_alone(self):
        error = self.refused("invalid_client", self.form(client_id=None), basic("confidential", WRONG), status=401)
        self.assertEqual(error.headers, (("WWW-Authenticate", 'Basic realm="mcp"'),))
        error = self.refused("invalid_client", self.form(client_secret=WRONG), status=401)
        self.assertEqual(error.headers, ())

    def test_one_method_at_a_time(self):
        header = basic("confidential", SECRET)
        self.refused("invalid_request", self.form(client_secret=SECRET), header)
        self.refused("invalid_request", self.form(client_assertion="x", client_assertion_type=ASSERTION_TYPE), header)
        self.refused("invalid_request", self.form(client_id="public"), header)
        for malformed in ("Basic !", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic /w=="):
            self.refused("invalid_request", self.form(), malformed)
        for changes in ({"client_assertion": "x"}, {"client_assertion_type": ASSERTION_TYPE}):
            self.refused("invalid_request", self.form(**changes))

    def test_guessing_is_slowed_down_and_the_right_secret_is_not(self):
        self.refused("invalid_client", self.form(client_secret=WRONG), status=401)
        self.refused("invalid_client", self.form(client_id="nobody", client_secret=WRONG), status=401)
        self.assertEqual(self.noted, [("client", "192.0.2.7", "confidential"), ("client", "192.0.2.7", None)])
        self.wait = 7
        error = self.refused("too_many_requests", self.form(client_secret=WRONG), status=429)
        self.assertEqual(error.headers, (("Retry-After", "7"),))
        self.token(self.form(client_secret=SECRET))
        self.assertEqual(len(self.noted), 3)

    def test_several_methods_are_those_that_the_client_may_use(self):
        signed = {"auth_method": "private_key_jwt", "jwks_uri": "https://app.example.com/keys"}
        self.client.write({**signed, "other_auth_methods": "none private_key_jwt"})
        self.token(self.form_of_code())
        self.client.other_auth_methods = False
        self.refused("invalid_client", self.form_of_code(), status=401)
