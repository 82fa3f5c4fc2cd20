"""What an authorization request asks, and whether it may be asked (RFC 6749 §4.1.1, RFC 7636, RFC 8707).

It reads and checks parameters. Whether the client is known and the user may answer, the models decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from . import pkce, scopes
from .errors import OAuthError

LONGEST_STATE = 2048
LONGEST_VALUE = 4096
MOST_RESOURCES = 10
MOST_PARAMETERS = 100
# What the answer adds to the redirect URI: there already, a client could take the wrong one.
ANSWER_PARAMETERS = frozenset(("code", "state", "iss", "error", "error_description", "error_uri"))

_SINGLE = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "code_challenge",
    "code_challenge_method",
    "scope",
    "prompt",
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BARE = re.compile(rb"[^\x20-\x7e]")


class RequestRefused(OAuthError):
    """A request that is answered to the person, on a page: nothing is sent to an address that is not known.

    `reason` chooses the page's words.
    """

    def __init__(self, reason: str, description: str, code: str = "invalid_request", status: int = 400) -> None:
        super().__init__(code, description, status)
        self.reason = reason


class RequestReturned(OAuthError):
    """A request whose error the client hears of, at its redirect URI."""


@dataclass(frozen=True)
class Parameters:
    """The parameters as sent, empty ones left out. `state` is percent-encoded, so that any bytes come back as sent."""

    client_id: str = ""
    redirect_uri: str = ""
    response_type: str = ""
    response_mode: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    scope: str = ""
    prompt: str = ""
    state: str = ""
    resource: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """A request that may be put before the user: the scopes asked for and the resource they are for."""

    scopes: tuple[str, ...]
    resource: str


def read(*encoded: bytes) -> Parameters:
    """Read query string and form.

    :raises RequestRefused: a parameter is there twice (RFC 6749 §3.1), too long, or not text
    """
    values: dict[str, list[str]] = {}
    for part in encoded:
        try:
            pairs = parse_qsl(_ascii(part), errors="surrogateescape", max_num_fields=MOST_PARAMETERS)
        except ValueError as error:
            raise RequestRefused("damaged", "Too many parameters.") from error
        for name, value in pairs:
            values.setdefault(name, []).append(value)
    for name in (*_SINGLE, "state"):
        if len(values.get(name, ())) > 1:
            raise RequestRefused("damaged", f"The parameter {name} is there more than once.")
    state = quote(values.get("state", [""])[0], safe="", errors="surrogateescape")
    if len(values.get("state", [""])[0].encode(errors="surrogateescape")) > LONGEST_STATE:
        raise RequestRefused("damaged", f"The parameter state is longer than {LONGEST_STATE} bytes.")
    single = {name: _text(name, values[name][0]) for name in _SINGLE if name in values}
    resources = tuple(dict.fromkeys(_text("resource", value) for value in values.get("resource", ())))
    if len(resources) > MOST_RESOURCES:
        raise RequestRefused("damaged", "Too many parameters.")
    return Parameters(**single, state=state, resource=resources)


def check_redirect(uri: str, accepts: Callable[[str], bool]) -> None:
    """Check where the answer goes, before anything goes there.

    :raises RequestRefused: there is no redirect URI, or the client has not registered it
    """
    if not uri:
        raise RequestRefused("redirect", "The parameter redirect_uri is missing.")
    if not accepts(uri):
        raise RequestRefused("redirect", "The redirect URI is not registered for this client.")
    if ANSWER_PARAMETERS & {name for name, _value in parse_qsl(urlsplit(uri).query, keep_blank_values=True)}:
        raise RequestRefused("redirect", "The redirect URI holds a parameter that belongs to the answer.")


def check(parameters: Parameters, canonical: Callable[[str], str | None], own: str) -> Asked:
    """Check the rest, once the client and its redirect URI are known.

    :param canonical: gives our resource for a variant of its URL, None for a foreign one
    :param own: our resource, meant when the request names none (clients of 2025-03-26)
    :raises RequestReturned: the first thing that is wrong
    """
    if parameters.response_type != "code":
        raise RequestReturned("unsupported_response_type", "response_type must be code.")
    if parameters.response_mode not in ("", "query"):
        raise RequestReturned("invalid_request", "response_mode must be query.")
    if not parameters.code_challenge:
        raise RequestReturned(
            "invalid_request", "PKCE is required: send code_challenge and code_challenge_method=S256."
        )
    if parameters.code_challenge_method != "S256":
        raise RequestReturned("invalid_request", "code_challenge_method must be S256.")
    if not pkce.is_challenge(parameters.code_challenge):
        raise RequestReturned("invalid_request", "code_challenge must be 43 base64url characters.")
    if any(canonical(resource) is None for resource in parameters.resource):
        raise RequestReturned("invalid_target", f"The only resource here is {own}")
    try:
        asked = scopes.requested(parameters.scope)
    except OAuthError as error:
        raise RequestReturned(error.code, error.description) from error
    return Asked(asked, own)


def answer_url(redirect_uri: str, state: str, issuer: str, **answer: str) -> str:
    """Return the redirect URI with the answer, `state` and `iss` (RFC 9207) appended to its query."""
    pairs = [f"{name}={quote(value, safe='')}" for name, value in answer.items()]
    if state:
        pairs.append(f"state={state}")
    pairs.append(f"iss={quote(issuer, safe='')}")
    separator = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{separator}{'&'.join(pairs)}"


def offered(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes to put before the user: those asked for, with what they imply, as far as allowed."""
    return scopes.narrow(scopes.implied(asked), allowed)


def granted(offered_scopes: Collection[str], ticked: Iterable[str]) -> tuple[str, ...]:
    """Return what the user grants. A scope counts only with all that it implies: no unticked one comes back with it."""
    chosen = set(offered_scopes) & set(ticked)
    return tuple(scope for scope in offered_scopes if chosen.issuperset(scopes.implied((scope,))))


def _ascii(encoded: bytes) -> str:
    """Percent-encode the bytes that a client has sent bare, so that they too come back as sent."""
    return _BARE.sub(lambda match: b"%%%02X" % match[0][0], encoded).decode()


def _text(name: str, value: str) -> str:
    if name in ("scope", "prompt"):
        value = " ".join(value.split())
    if len(value) > LONGEST_VALUE or _CONTROL.search(value):
        raise RequestRefused("damaged", f"The parameter {name} is too long or not plain text.")
    # Bytes that are not UTF-8 cannot be stored, and are in nothing that we accept.
    return value.encode(errors="replace").decode()
