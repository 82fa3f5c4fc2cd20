"""Check a signed JWT (RFC 7519) against a set of public keys. What its claims mean is the caller's business.

Signatures are PyJWT's work, which is an optional package: it is imported where it is used. The key is chosen here by
`kid`, by type and by an algorithm of the caller's list. Nothing in a token can name a key or a place to get one from.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from .plain_json import is_storable

MAX_TOKEN = 16_384
MAX_KEYS = 100
MAX_AUDIENCES = 20
# The key type that an algorithm needs. Symmetric algorithms and `none` are not here, so nothing can ask for them.
ALGORITHMS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
DEFAULT_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
# Shorter keys can be broken; longer ones only keep a worker busy.
_RSA_BITS = (2048, 8192)
_MAX_NUMBER = 2**53
_FORM = re.compile(r"[A-Za-z0-9_-]{1,4096}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class JwtRefused(Exception):
    """The token is not accepted. The message is for logs and administrators and holds nothing secret."""


@dataclass(frozen=True)
class Rules:
    """What a token must be to be accepted.

    :param audiences: at least one of these must be in `aud`
    :param types: accepted `typ` headers in lower case, without `application/`; the empty text stands for none
    :param single_audience: `aud` may name nobody else
    :param leeway: seconds that clocks may differ
    :param longest_life: seconds until `exp` at most, None for any
    """

    issuer: str
    audiences: Sequence[str]
    types: frozenset[str]
    algorithms: Sequence[str] = DEFAULT_ALGORITHMS
    single_audience: bool = False
    leeway: int = 30
    longest_life: int | None = None
    required: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Glance:
    """What a token says before anything of it is verified. Fit for choosing whom to ask, nothing else."""

    algorithm: str
    kid: str | None
    type: str
    issuer: str
    subject: str


def is_available() -> bool:
    """Say whether the optional package PyJWT is installed."""
    return find_spec("jwt") is not None


def looks_like_jwt(text: str) -> bool:
    """Say whether the text has the form of a signed JWT of acceptable size."""
    return len(text) <= MAX_TOKEN and _FORM.fullmatch(text) is not None


def glance(token: str) -> Glance:
    """Return what the token says of itself, unverified.

    :raises JwtRefused: it is no JWT that could be accepted
    """
    if not looks_like_jwt(token):
        raise JwtRefused("It is not a signed JWT, or too long.")
    header, claims = (_decoded(part) for part in token.split(".")[:2])
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise JwtRefused("Its algorithm is not accepted.")
    if kid is not None and not (isinstance(kid, str) and len(kid) <= 512):
        raise JwtRefused("Its key id is not text.")
    if "crit" in header or "b64" in header:
        raise JwtRefused("It demands extensions that are not known here.")
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not all(isinstance(text, str) for text in (kind, issuer, subject)):
        raise JwtRefused("Its type, issuer or subject is not text.")
    return Glance(algorithm, kid, kind.lower().removeprefix("application/"), issuer, subject)


def public_keys(document: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the usable signature keys of a JWK Set (RFC 7517).

    :raises JwtRefused: it is no set of public keys
    """
    keys = document.get("keys")
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise JwtRefused(f"The key set has no list “keys” of at most {MAX_KEYS}.")
    usable = [
        key
        for key in keys
        if isinstance(key, dict) and key.get("kty") in ALGORITHMS.values() and key.get("use", "sig") == "sig"
    ]
    if any(_SECRET_MEMBERS & key.keys() for key in usable):
        raise JwtRefused("The key set holds private keys.")
    if not usable:
        raise JwtRefused("The key set has no public key for signatures.")
    if not is_storable(usable):
        raise JwtRefused("The key set holds a NUL character or half of a surrogate pair.")
    return usable


def verify(token: str, keys: Sequence[Mapping[str, object]], rules: Rules) -> dict[str, object]:
    """Return the claims of a token that meets the rules.

    :param keys: from `public_keys`
    :raises JwtRefused: saying which rule it breaks
    """
    seen = glance(token)
    if seen.algorithm not in rules.algorithms:
        raise JwtRefused(f"Its algorithm {seen.algorithm} is not accepted.")
    if seen.type not in rules.types:
        raise JwtRefused("It is of another type.")
    if seen.issuer != rules.issuer:
        raise JwtRefused("It is of another issuer.")
    fitting = [key for key in keys if _fits(key, seen)]
    if not fitting:
        raise JwtRefused("It is signed with a key that is not known.")
    if seen.kid is None and len(fitting) > 1:
        raise JwtRefused("It names no key, and there are several.")
    _check_signature(token, fitting[0], seen.algorithm)
    claims = _decoded(token.split(".")[1])
    _check_times(claims, rules)
    _check_audience(claims.get("aud"), rules)
    if not claims.get("sub"):
        raise JwtRefused("It has no subject.")
    if missing := sorted(name for name in rules.required if not isinstance(claims.get(name), str) or not claims[name]):
        raise JwtRefused(f"It has no {', '.join(missing)}.")
    return claims


def _decoded(part: str) -> dict[str, object]:
    """Return the JSON object in a part of a token."""
    try:
        data = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise JwtRefused("It cannot be read.") from error
    # Issuers, subjects and ids are looked up in the database, which cannot even ask for some text.
    if not isinstance(data, dict) or not is_storable(data):
        raise JwtRefused("It cannot be read.")
    return data


def _fits(key: Mapping[str, object], seen: Glance) -> bool:
    """Say whether a key can be the one that signed: same id, right type, not meant for something else."""
    curve = _CURVES.get(seen.algorithm)
    return (
        (seen.kid is None or key.get("kid") == seen.kid)
        and key.get("kty") == ALGORITHMS[seen.algorithm]
        and key.get("alg", seen.algorithm) == seen.algorithm
        and (curve is None or key.get("crv") == curve)
    )


def _check_signature(token: str, key: Mapping[str, object], algorithm: str) -> None:
    try:
        import jwt
    except ImportError as error:
        raise JwtRefused("The Python package PyJWT is not installed on this server.") from error
    try:
        public_key = jwt.PyJWK.from_dict(dict(key), algorithm).key
        bits = getattr(public_key, "key_size", None)
        if ALGORITHMS[algorithm] == "RSA" and not _RSA_BITS[0] <= bits <= _RSA_BITS[1]:
            raise JwtRefused(f"Its RSA key has {bits} bits, not {_RSA_BITS[0]} to {_RSA_BITS[1]}.")
        # Only the signature: the claims are checked here, alike under every version of the package.
        jwt.PyJWS().decode_complete(token, public_key, algorithms=[algorithm])
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        # The last two: how earlier versions of the package meet a key that is malformed.
        raise JwtRefused(f"Its signature is not valid ({type(error).__name__}).") from error


def _check_times(claims: Mapping[str, object], rules: Rules) -> None:
    now = time.time()
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    starts = _time(claims, "nbf") if "nbf" in claims else issued
    if expires <= now - rules.leeway:
        raise JwtRefused("It has expired.")
    if max(issued, starts) > now + rules.leeway:
        raise JwtRefused("It is from the future: check the clocks.")
    if rules.longest_life is not None and expires > now + rules.longest_life + rules.leeway:
        raise JwtRefused(f"It lives longer than {rules.longest_life} seconds.")


def _time(claims: Mapping[str, object], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MAX_NUMBER:
        raise JwtRefused(f"It has no valid “{name}”.")
    return value


def _check_audience(audience: object, rules: Rules) -> None:
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or not 1 <= len(audiences) <= MAX_AUDIENCES:
        raise JwtRefused("It has no valid “aud”.")
    if not all(isinstance(name, str) for name in audiences):
        raise JwtRefused("It has no valid “aud”.")
    if rules.single_audience and len(audiences) != 1:
        raise JwtRefused("It is meant for several servers.")
    if not set(audiences) & set(rules.audiences):
        raise JwtRefused("It is meant for another server.")
