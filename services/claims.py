"""What the claims of an identity provider's token say about scopes and e-mail. Signatures are checked elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

MAX_NAMES = 200


def names(claims: Mapping[str, object], claim: str) -> list[str]:
    """Return the names that a claim lists, as text separated by spaces or as a list; empty when it is neither."""
    value = claims.get(claim)
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, list):
        return []
    return [name for name in value[:MAX_NAMES] if isinstance(name, str)]


def parse_mapping(text: str) -> dict[str, str]:
    """Return the mapping that lines of `theirs = ours` write.

    :raises ValueError: with the line that is no such pair
    """
    mapping = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        theirs, separator, ours = (part.strip() for part in line.rpartition("="))
        if not (separator and theirs and ours) or " " in theirs:
            raise ValueError(line)
        mapping[theirs] = ours
    return mapping


def is_id_token(claims: Mapping[str, object]) -> bool:
    """Say whether the claims are those of an OpenID Connect ID token, which proves a login to somebody else."""
    return bool({"nonce", "at_hash", "c_hash"} & claims.keys())


def email_of(claims: Mapping[str, object], domains: frozenset[str], *, verified: bool) -> str | None:
    """Return the e-mail address in lower case if it is of one of the domains.

    :param domains: in lower case
    :param verified: the provider must say that it has verified the address
    """
    email = claims.get("email")
    if not isinstance(email, str) or (verified and claims.get("email_verified") is not True):
        return None
    local, _at, domain = email.strip().lower().rpartition("@")
    return f"{local}@{domain}" if local and email.isascii() and domain in domains else None
