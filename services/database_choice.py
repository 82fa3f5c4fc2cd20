"""Which database a request is for, where one server has several: what its address and its header name.

    /mcp?db=prod                                                 or the header X-Odoo-Database: prod
    /.well-known/oauth-protected-resource/mcp?db=prod            RFC 9728 §3.1: a query stays a query
    /.well-known/oauth-authorization-server/oauth/db/prod        an issuer has no query (RFC 8414 §2), so it has a path
    /oauth/db/prod/authorize                                     several clients append their own `?` to this address

It reads names. Whether there is such a database and whether it is served at this address, the caller finds out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

QUERY = "db"
HEADER = "X-Odoo-Database"
ISSUER_PATH = "/oauth/db/"
LONGEST_NAME = 63

_METADATA = r"/\.well-known/(?:oauth-protected-resource|oauth-authorization-server|openid-configuration)"
# What programs call: they send no cookies, and what a browser sends of its own is not theirs.
_PROGRAM = re.compile(rf"/mcp(?:/sse|/messages)?/?|{_METADATA}(?:/.*)?|/oauth/(?:token|revoke|register)/?", re.DOTALL)
_PAGE = re.compile(r"/oauth/(?:authorize(?:/continue)?|consent)/?")
_BELOW = re.compile(r"/mcp/.*", re.DOTALL)
_NAMED_ENDPOINT = re.compile(r"/oauth/db/([^/]+)/(.+)", re.DOTALL)
_NAMED_METADATA = re.compile(rf"{_METADATA}/oauth/db/([^/]+)/?")

WHICH = "This server has several databases. Name yours in the address: /mcp?db=NAME, or in the header X-Odoo-Database."
UNKNOWN = "There is no such database at this address."


class DatabaseRefused(Exception):
    """The database of a request cannot be told, or is not to be had; the text is for the client."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self) -> str:
        """Return the answer as JSON."""
        return json.dumps({"error": self.code, "error_description": str(self)})


@dataclass(frozen=True)
class Place:
    """A request to one of our addresses.

    :param database: the database it names, None where it names none
    :param path: the path under which it is served
    :param ignores_cookies: whether a browser's session has no say in it
    """

    database: str | None
    path: str
    ignores_cookies: bool


def issuer_path(database: str) -> str:
    """Return the path of the issuer of a database that is chosen by name."""
    return ISSUER_PATH + quote(database, safe="")


def query(database: str) -> str:
    """Return the query that names a database."""
    return f"?{QUERY}={quote(database, safe='')}"


def read(path: str, queried: Iterable[str], header: str | None) -> Place | None:
    """Return what a request asks for, None where its address is none of ours.

    :param path: decoded
    :param queried: the values of `db` in the query
    :raises DatabaseRefused: 400, it names several databases
    """
    names = set(queried)
    if found := _NAMED_ENDPOINT.fullmatch(path):
        names.add(found[1])
        path = f"{'/mcp' if found[2].startswith('.well-known/') else '/oauth'}/{found[2]}"
    elif found := _NAMED_METADATA.fullmatch(path):
        names.add(found[1])
    is_program = _PROGRAM.fullmatch(path) is not None
    if not (is_program or _PAGE.fullmatch(path) or _BELOW.fullmatch(path)):
        return None
    if header and is_program:
        names.add(header)
    names.discard("")
    if len(names) > 1:
        raise DatabaseRefused(400, "invalid_request", "This request names several databases. Name one.")
    name = names.pop() if names else None
    if name and (len(name) > LONGEST_NAME or not name.isprintable()):
        raise unknown()
    return Place(name, path, is_program)


def unknown() -> DatabaseRefused:
    """Return the refusal for a database that does not exist here. It is the same whether it exists elsewhere."""
    return DatabaseRefused(404, "not_found", UNKNOWN)


def undecided() -> DatabaseRefused:
    """Return the refusal for a request that could be for any of several databases."""
    return DatabaseRefused(404, "not_found", WHICH)


def not_installed() -> DatabaseRefused:
    """Return the refusal for a database that is no MCP server."""
    return DatabaseRefused(404, "not_found", "The app MCP Server is not installed in this database.")


def unavailable() -> DatabaseRefused:
    """Return the refusal while a database does not answer. Never 4xx: clients would throw their credentials away."""
    return DatabaseRefused(503, "temporarily_unavailable", "The database does not answer. Try again in a moment.")
