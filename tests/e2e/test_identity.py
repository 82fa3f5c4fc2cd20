"""Machines and companies: the official SDK with a signed client, with an identity provider's grant, and with the
provider's own access token, against two workers that fetch the provider's keys over TLS."""

import asyncio
import json
import secrets
import sys
import time
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from endpoint import Endpoint
from fixture import shared
from mcp import Client
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider, SignedJWTParameters
from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from sdk_login import Storage

from devtools import databases

sys.path.insert(0, str(Path(__file__).parent.parent))
import loopback

ISSUER = "https://idp.example.com/realm"
MACHINE, COMPANY = "omcp_ci_machine", "omcp_ci_company"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Run in `odoo shell`.
PREPARE = """
import json, os
asked = json.loads(os.environ["MCP_IDENTITY"])
parameters = env["ir.config_parameter"]
parameters.set_param("mcp_endpoint_fixture.authority", asked["authority"])
parameters.set_param("mcp_endpoint.issuer", asked["base"])
profile = env.ref("mcp_endpoint.profile_full")
user = env["res.users"].create({"name": "Ada", "login": "ada_e2e",
    "group_ids": [(6, 0, [env.ref("base.group_user").id, env.ref("mcp_endpoint.group_mcp_user").id])]})
provider = env["mcp.identity.provider"].create({"name": "Company login", "issuer": asked["issuer"],
    "jwks_uri": asked["keys"], "accepts_bearer": True, "accepts_id_jag": True, "profile_id": profile.id})
env["mcp.identity.link"].create({"provider_id": provider.id, "subject": "ada", "user_id": user.id})
clients = env["mcp.oauth.client"]
clients.create({"name": "Nightly job", "client_id": asked["machine"], "kind": "machine", "user_id": user.id,
    "profile_id": profile.id, "auth_method": "private_key_jwt", "jwks": asked["jwks"],
    "grant_types": "client_credentials"})
clients.create({"name": "Company assistant", "client_id": asked["company"], "kind": "manual",
    "redirect_uris": "https://assistant.example.com/callback", "auth_method": "client_secret_post",
    "secret_digest": env["mcp.token"]._digest(asked["secret"])})
env.cr.commit()
"""


class TestIdentity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.key = ec.generate_private_key(ec.SECP256R1())
        jwk = json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(cls.key.public_key()))
        keys = {"keys": [{**jwk, "kid": "key-1", "use": "sig"}]}
        cls.provider = loopback.json_server({"/keys": keys})
        cls.addClassCleanup(cls.provider.close)
        running = shared()
        cls.base = running.base
        cls.secret = secrets.token_urlsafe(32)
        asked = {
            "authority": loopback.authority_pem(),
            "base": cls.base,
            "issuer": ISSUER,
            "keys": cls.provider.url("/keys"),
            "jwks": keys,
            "machine": MACHINE,
            "company": COMPANY,
            "secret": cls.secret,
        }
        databases.shell(running.database, PREPARE, capture=True, MCP_IDENTITY=json.dumps(asked))

    def signed(self, kid="key-1", key=None, kind="at+jwt", **changes):
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "ada", "iat": now, "exp": now + 300, "jti": secrets.token_hex(8), **changes}
        return jwt.encode(claims, key or self.key, "ES256", headers={"kid": kid, "typ": kind})

    def access_token(self, **changes):
        return self.signed(**{"aud": f"{self.base}/mcp", "scope": "mcp:read mcp:write", **changes})

    def works_as(self, auth):
        """The login that the SDK's calls with this authentication work as."""

        async def ask():
            async with (
                httpx2.AsyncClient(auth=auth, timeout=60) as http,
                Client(streamable_http_client(f"{self.base}/mcp", http_client=http)) as client,
            ):
                result = await client.call_tool("odoo_get_context", {})
                return result.structured_content["user"]["login"]

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return asyncio.run(ask())

    def test_sdk_signs_in_with_its_key(self):
        pem = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        signer = SignedJWTParameters(issuer=MACHINE, subject=MACHINE, signing_key=pem, signing_algorithm="ES256")
        auth = PrivateKeyJWTOAuthProvider(
            f"{self.base}/mcp", Storage(), MACHINE, signer.create_assertion_provider(), issuer=self.base
        )
        self.assertEqual(self.works_as(auth), "ada_e2e")

    def test_sdk_exchanges_a_grant_of_the_provider(self):
        async def id_jag(audience, resource):
            return self.signed(
                kind="oauth-id-jag+jwt", aud=audience, resource=resource, client_id=COMPANY, scope="mcp:read"
            )

        auth = IdentityAssertionOAuthProvider(
            f"{self.base}/mcp", Storage(), COMPANY, self.secret, self.base, assertion_provider=id_jag
        )
        self.assertEqual(self.works_as(auth), "ada_e2e")

    def test_token_of_the_provider_opens_the_endpoint(self):
        class Bearer(httpx2.Auth):
            def auth_flow(self, request):
                request.headers["Authorization"] = f"Bearer {token}"
                yield request

        token = self.access_token()
        self.assertEqual(self.works_as(Bearer()), "ada_e2e")

    def test_first_calls_of_somebody_at_the_same_moment_all_succeed(self):
        databases.shell(
            shared().database,
            'env["mcp.token"].search([("kind", "=", "external")]).sudo()._revoke()\n'
            'env["mcp.token"].search([("kind", "=", "external")]).unlink()\nenv.cr.commit()\n',
            capture=True,
        )
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(self.status, [self.access_token() for _number in range(8)]))
        self.assertEqual(statuses, [200] * 8)

    def test_one_of_many_parallel_uses_of_an_assertion_succeeds(self):
        """T34, over two workers."""
        now = int(time.time())
        claims = {"iss": MACHINE, "sub": MACHINE, "aud": self.base, "iat": now, "exp": now + 60, "jti": "parallel"}
        assertion = jwt.encode(claims, self.key, "ES256")
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }

        def send(_number):
            return httpx2.post(f"{self.base}/oauth/token", data=form, timeout=60).status_code

        with ThreadPoolExecutor(6) as pool:
            statuses = sorted(pool.map(send, range(6)))
        self.assertEqual(statuses, [200] + [401] * 5)

    def test_flood_of_unknown_key_ids_leaves_provider_and_users_alone(self):
        """T33, over two workers."""
        self.assertEqual(self.status(self.access_token()), 200)
        stranger = ec.generate_private_key(ec.SECP256R1())
        tokens = [self.access_token(kid=f"random-{number}", key=stranger) for number in range(300)]
        before = len(self.provider.requests)
        started = time.monotonic()
        with ThreadPoolExecutor(8) as pool:
            refused = pool.map(self.status, tokens)
            valid = [self.status(self.access_token()) for _number in range(20)]
            self.assertLessEqual(set(refused), {401, 429})
        self.assertEqual(valid, [200] * 20)
        allowed = 1 + int((time.monotonic() - started) / 30)
        self.assertLessEqual(len(self.provider.requests) - before, allowed)

    def status(self, token):
        return Endpoint(self.base, token).rpc("tools/list").status
