"""Public keys as people paste them: a JSON Web Key, a set of them, or a public key in PEM. Never a private one."""

from __future__ import annotations

import json

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from .jwt_check import JwtRefused, public_keys


def keys_from_text(text: str) -> list[dict[str, object]]:
    """Return the public keys in a text, as JWKs.

    :raises JwtRefused: there are none, or a private one
    """
    text = text.strip()
    if text.startswith("-----BEGIN"):
        return public_keys({"keys": [_jwk_of_pem(text)]})
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JwtRefused("It is neither JSON nor a public key in PEM.") from error
    if not isinstance(document, dict):
        raise JwtRefused("It is no JSON object.")
    return public_keys({"keys": [document]} if "kty" in document else document)


def _jwk_of_pem(text: str) -> dict[str, object]:
    try:
        import jwt
    except ImportError as error:
        raise JwtRefused("Reading PEM needs the Python package PyJWT, which is not installed.") from error
    if "PRIVATE" in text.partition("\n")[0]:
        raise JwtRefused("It is a private key. Keep that one; paste the public key.")
    try:
        key = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise JwtRefused("It is not a public key in PEM.") from error
    algorithm = _algorithm(key)
    jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key)
    return {**(json.loads(jwk) if isinstance(jwk, str) else jwk), "use": "sig"}


def _algorithm(key: object) -> str:
    """Return an algorithm that the key is for: what tells PyJWT how to write it."""
    if isinstance(key, rsa.RSAPublicKey):
        return "RS256"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "EdDSA"
    curves = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in curves:
        return curves[key.curve.name]
    raise JwtRefused("Keys are RSA, P-256, P-384, P-521 or Ed25519.")
