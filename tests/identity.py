"""An identity provider of the tests: keys that sign what a test wants, and a server that publishes them."""

import base64
import hashlib
import hmac
import json
import time
from functools import cache

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
