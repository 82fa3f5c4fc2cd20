"""An identity provider of the tests: keys that sign what a test wants, and a server that publishes them."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from functools import cache
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from .loopback import NAME, json_server

try:
    import jwt
except ImportError:
    # Optional for the addon as well; the tests that sign something are skipped then.
    jwt = None

ISSUER = f"https://{NAME}/realm"


def b64(data):
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SigningKey:
    """A private key and what it signs. Making RSA keys is slow, so they are shared: see `signing_key`."""

    def __init__(self, algorithm, kid, bits=2048):
        self.algorithm = algorithm
        self.kid = kid
        if algorithm.startswith("ES"):
            self.private = ec.generate_private_key({"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}[algorithm])
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def jwk(self, **members):
        """Return the public key as a JWK."""
        methods = jwt.get_algorithm_by_name(self.algorithm)
        return {**json.loads(methods.to_jwk(self.private.public_key())), "kid": self.kid, "use": "sig", **members}

    def sign(self, claims, **headers):
        """Return a JWT. A `kid` or `typ` of None is left out."""
        headers = {"kid": self.kid, **headers}
        if headers["kid"] is None:
            del headers["kid"]
        return jwt.encode(claims, self.private, self.algorithm, headers=headers)


@cache
def signing_key(algorithm="ES256", kid="key-1", bits=2048):
    return SigningKey(algorithm, kid, bits)


def hmac_signed(claims, secret, **headers):
    """Return a JWT signed with HS256, made by hand: PyJWT refuses to use a public key so."""
    text = f"{b64({'alg': 'HS256', 'typ': 'at+jwt', **headers})}.{b64(claims)}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def claims(**changes):
    """Return the claims of an access token of the provider; None takes one out."""
    now = int(time.time())
    values = {
        "iss": ISSUER,
        "sub": "user-1",
        "aud": "https://erp.example.com/mcp",
        "iat": now,
        "exp": now + 300,
        "scope": "mcp:read mcp:write",
        **changes,
    }
    return {name: value for name, value in values.items() if value is not None}


def key_server(*keys, path="/realm/keys"):
    """Return a server that publishes the keys; `server.documents` may be changed."""
    documents = {path: {"keys": [key.jwk() for key in keys]}}
    server = json_server(documents)
    server.documents = documents
    server.path = path
    return server


class IdentityMixin:
    """A provider `cls.provider` whose keys are served on the loopback interface, and tokens of it. Off at first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.key = signing_key()
        cls.server = key_server(cls.key)
        cls.addClassCleanup(cls.server.close)
        # Only for the tests: the guard that is used otherwise allows no loopback address.
        egress = cls.server.egress()
        reach = patch.object(cls.registry["mcp.egress"], "_egress", lambda self, internal=False: egress)
        reach.start()
        cls.addClassCleanup(reach.stop)
        cls.provider = cls.env["mcp.identity.provider"].create(
            {
                "name": "Company login",
                "issuer": ISSUER,
                "jwks_uri": cls.server.url(cls.server.path),
                "profile_id": cls.profiles["full"].id,
            }
        )
        cls.oauth = cls.env["mcp.oauth.server"]

    @classmethod
    def link(cls, user=None, subject="user-1"):
        values = {"provider_id": cls.provider.id, "subject": subject, "user_id": (user or cls.user).id}
        return cls.env["mcp.identity.link"].create(values)

    def access_token(self, headers=None, key=None, **changes):
        """Return an access token of the provider for `/mcp`, with some of it changed."""
        values = claims(**{"aud": self.oauth._resource(), **changes})
        return (key or self.key).sign(values, **{"typ": "at+jwt", **(headers or {})})

    def machine(self, **values):
        """Return a client that works as the employee, registered with a key."""
        values = {
            "name": "Nightly job",
            "client_id": f"omcp_ci_{secrets.token_urlsafe(12)}",
            "kind": "machine",
            "auth_method": "private_key_jwt",
            "jwks": {"keys": [self.key.jwk()]},
            "grant_types": "client_credentials",
            "user_id": self.user.id,
            "profile_id": self.profiles["write"].id,
            **values,
        }
        return self.env["mcp.oauth.client"].create(values)

    def assertion(self, client, key=None, headers=None, **changes):
        """Return a client assertion (RFC 7523 §2.2)."""
        now = int(time.time())
        values = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": self.oauth._issuer(),
            "iat": now,
            "exp": now + 300,
            "jti": secrets.token_urlsafe(8),
            **changes,
        }
        values = {name: value for name, value in values.items() if value is not None}
        return (key or self.key).sign(values, **{"typ": "JWT", **(headers or {})})

    def id_jag(self, client, headers=None, key=None, **changes):
        """Return an identity assertion authorization grant of the provider for a client."""
        values = {
            "aud": self.oauth._issuer(),
            "client_id": client.client_id,
            "jti": secrets.token_urlsafe(8),
            "resource": self.oauth._resource(),
            "scope": "mcp:read mcp:write",
            **changes,
        }
        return (key or self.key).sign(claims(**values), **{"typ": "oauth-id-jag+jwt", **(headers or {})})
