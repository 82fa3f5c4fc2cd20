"""A call that runs later than it was made: whether its token still counts, and what it is limited to by then."""

import dataclasses
from collections.abc import Iterable, Mapping

from ..services.exchange import Credential, Narrowing


def why_dead(token, user) -> str | None:
    """Say why a token or its user no longer count, None when they do.

    :param token: `mcp.token`, empty when it was deleted
    """
    if not token or token.user_id != user or not token._counts():
        return user.env._("The assistant's token was revoked or has expired.")
    if not user._may_use_mcp():
        return user.env._("%s may not use assistants any more.", user.name)
    return None


def credential(token, user, scopes: Iterable[str] | bool | None, ip: str | bool) -> Credential:
    """Return the credential of a call that a token has made, with the profiles it has now.

    :param scopes: what it was limited to then, False or None for one that knows no scopes; more than it has now is lost
    """
    granted = token._scopes() if token else None
    limited = granted if scopes is False or scopes is None else tuple(scopes)
    if granted is not None and limited is not None:
        limited = tuple(scope for scope in limited if scope in granted)
    profile = (token.identity_provider_id or token).profile_id
    client_profile = token.oauth_client_id.profile_id
    return Credential(
        token.kind, token.id, user.id, profile.id, ip or "", scopes=limited, client_profile_id=client_profile.id or None
    )


def narrowing_as_json(narrowing: Narrowing) -> dict[str, object]:
    """Return what the URL of a call has left out, as plain JSON."""
    facts = dataclasses.asdict(narrowing)
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in facts.items()}


def narrowing_from_json(facts: Mapping[str, object] | bool | None) -> Narrowing:
    """Return the narrowing that `narrowing_as_json` has written."""
    lists = {name: frozenset(value) if isinstance(value, list) else value for name, value in (facts or {}).items()}
    return Narrowing(**lists)
