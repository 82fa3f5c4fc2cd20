"""Fetch one small JSON document from an address that somebody else chose, without becoming their tool.

For client documents, key sets and discovery documents of identity providers. It decides where this server connects
to and what it reads: HTTPS on port 443 of a public address, resolved once and connected to as resolved, no redirect,
one deadline for everything, a size limit, plain JSON. It stores nothing and knows nothing of what a document means.
"""

from __future__ import annotations

import http.client
import json
import queue
import re
import socket
import ssl
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.message import Message
from functools import cache
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from .deadline_http import answer_of, left, send
from .plain_json import is_storable
from .public_address import Address, is_public

MAX_URL = 2048
MAX_DEPTH = 12
# Status line and headers, on top of the body's limit.
_MAX_HEAD = 32_768
_MAX_ATTEMPTS = 3
# A network without IPv6 often swallows packets: leave time for the next address.
_ATTEMPT_TIME = 1.5
_URL_TEXT = re.compile(r"[!-~]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_JSON_TYPE = re.compile(r"application/(json|[a-z0-9!#$&^_.+-]+\+json)")
_MAX_AGE = re.compile(r'\bmax-age\s*=\s*"?(\d{1,9})\b')
# getaddrinfo cannot be interrupted: a slow name server may keep this many threads, never more.
_resolving = threading.BoundedSemaphore(8)


class FetchRefused(Exception):
    """The document was not fetched or not accepted. The message is fit for an administrator."""


@dataclass(frozen=True)
class Fetched:
    """The document, and how long its server lets it be kept: seconds, None when it does not say."""

    data: dict[str, object]
    max_age: int | None


def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as text."""
    return [info[4][0] for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Egress:
    """Where this server may connect to, and how.

    :param guard: says whether an address may be connected to
    :param ports: the allowed ports, None for all
    :param own_hosts: lower-case names of this server, never fetched from
    :param proxy: `http://[user:password@]host:port` of an HTTP proxy. It resolves the name, so it must keep private
        addresses out of reach itself.
    :param context: TLS settings, None for the system's authorities
    """

    guard: Callable[[Address], bool] = is_public
    ports: frozenset[int] | None = frozenset({443})
    own_hosts: frozenset[str] = frozenset()
    proxy: str | None = None
    context: ssl.SSLContext | None = None
    resolver: Callable[[str, int], Sequence[str]] = field(default=resolve, repr=False)


def fetch_json(url: str, limit: int = 16_384, deadline: float = 5.0, egress: Egress | None = None) -> Fetched:
    """Return the JSON object at `url`.

    :param limit: largest body, bytes
    :param deadline: seconds for everything: name, connection, TLS, reading
    :raises FetchRefused: saying which rule or which failure
    """
    egress = egress or Egress()
    until = time.monotonic() + deadline
    target, host, port = _checked_url(url, egress)
    try:
        connection = _connect(host, port, egress, until)
        try:
            connection = _secured(connection, host, egress, until)
            head, body = _exchange(connection, target, host, port, limit, until)
        finally:
            connection.close()
    except TimeoutError as error:
        raise FetchRefused(f"{host} did not answer within {deadline:g} seconds.") from error
    except ssl.SSLCertVerificationError as error:
        raise FetchRefused(f"The certificate of {host} is not valid: {error.verify_message}.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchRefused(f"The connection to {host} failed ({type(error).__name__}).") from error
    return Fetched(_parsed(body, host), _max_age(head))


def _checked_url(url: str, egress: Egress) -> tuple[str, str, int]:
    """Return request target, host and port of a URL that may be fetched."""
    if len(url) > MAX_URL or not _URL_TEXT.fullmatch(url) or "\\" in url:
        raise FetchRefused(f"The address must be a URL of at most {MAX_URL:,} ASCII characters.")
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError as error:
        raise FetchRefused("The address is not a valid URL.") from error
    host = (parts.hostname or "").removesuffix(".")
    if parts.scheme != "https" or "@" in parts.netloc or "#" in url:
        raise FetchRefused("The address must be https://, without user name and fragment.")
    _check_host(host, egress)
    if egress.ports is not None and port not in egress.ports:
        raise FetchRefused(f"Port {port} is not allowed, only {', '.join(map(str, sorted(egress.ports)))}.")
    return _target(parts), host, port


def _check_host(host: str, egress: Egress) -> None:
    # Resolvers take `2130706433`, `127.1` and `0x7f.1` for addresses: a last label that is a number.
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise FetchRefused("The host must be a name, not an IP address.")
    if len(host) > 253 or "." not in host or not _HOST.fullmatch(host):
        raise FetchRefused("The host is not a full domain name.")
    if host in egress.own_hosts:
        raise FetchRefused("The address is one of this server.")


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _connect(host: str, port: int, egress: Egress, until: float) -> socket.socket:
    """Return a connection to a checked address of the host, or through the proxy."""
    if egress.proxy:
        return _tunnel(egress.proxy, host, port, until)
    addresses = _addresses(host, port, egress, until)
    # One bad address refuses the name: which of them would be tried is up to whoever serves it.
    if not addresses or not all(egress.guard(address) for address in addresses):
        raise FetchRefused(f"{host} is not a public address.")
    failure = None
    for address in addresses[:_MAX_ATTEMPTS]:
        try:
            return socket.create_connection((str(address), port), timeout=min(left(until), _ATTEMPT_TIME))
        except OSError as error:
            failure = error
    raise failure or TimeoutError


def _addresses(host: str, port: int, egress: Egress, until: float) -> list[Address]:
    """Resolve the host once, within the deadline."""
    results: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            results.put(egress.resolver(host, port))
        except (OSError, UnicodeError) as error:
            results.put(OSError(str(error)))
        finally:
            _resolving.release()

    if not _resolving.acquire(timeout=left(until)):
        raise TimeoutError
    threading.Thread(target=look_up, name="mcp-resolve", daemon=True).start()
    try:
        found = results.get(timeout=left(until))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise FetchRefused(f"The name {host} cannot be resolved.") from found
    # A zone (`fe80::1%eth0`) belongs to link-local addresses, which the guard refuses.
    return [ip_address(text.partition("%")[0]) for text in dict.fromkeys(found)]


def _tunnel(proxy: str, host: str, port: int, until: float) -> socket.socket:
    """Return a connection through the proxy (CONNECT, RFC 9110 §9.3.6)."""
    parts = urlsplit(proxy)
    connection = socket.create_connection((parts.hostname or "", parts.port or 3128), timeout=left(until))
    lines = [f"CONNECT {host}:{port} HTTP/1.1", f"Host: {host}:{port}"]
    if parts.username:
        account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {b64encode(account.encode()).decode()}")
    try:
        send(connection, lines, until)
        status = answer_of(connection, "CONNECT", _MAX_HEAD, until).status
        if status != 200:
            raise FetchRefused(f"The proxy answered {status} for {host}.")
    except BaseException:
        connection.close()
        raise
    return connection


def _secured(connection: socket.socket, host: str, egress: Egress, until: float) -> ssl.SSLSocket:
    connection.settimeout(left(until))
    return (egress.context or _context()).wrap_socket(connection, server_hostname=host)


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()


def _exchange(
    connection: socket.socket, target: str, host: str, port: int, limit: int, until: float
) -> tuple[Message, bytes]:
    """Send the request and return headers and body of an acceptable answer."""
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {host}" if port == 443 else f"Host: {host}:{port}",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "User-Agent: Odoo-MCP-Server",
        "Connection: close",
    ]
    send(connection, lines, until)
    answer = answer_of(connection, "GET", _MAX_HEAD + limit, until)
    if answer.status != 200:
        raise FetchRefused(f"{host} answered with HTTP status {answer.status}.")
    media_type = answer.headers.get_content_type()
    if not _JSON_TYPE.fullmatch(media_type):
        raise FetchRefused(f"{host} answered with {media_type}, not with JSON.")
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchRefused(f"{host} answered with a compressed body.")
    body = answer.read(limit + 1) if (answer.length or 0) <= limit else None
    if body is None or len(body) > limit:
        raise FetchRefused(f"The document of {host} is larger than {limit:,} bytes.")
    if answer.length:
        raise FetchRefused(f"The document of {host} ended early.")
    return answer.headers, body


def _parsed(body: bytes, host: str) -> dict[str, object]:
    def refuse(name: str) -> None:
        raise ValueError(name)

    try:
        data = json.loads(body.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise FetchRefused(f"The document of {host} is not valid JSON.") from error
    if not isinstance(data, dict):
        raise FetchRefused(f"The document of {host} is not a JSON object.")
    if not is_storable(data):
        raise FetchRefused(f"The document of {host} holds a NUL character or half of a surrogate pair.")
    level: list[object] = [data]
    for _depth in range(MAX_DEPTH):
        nested = (value.values() if isinstance(value, dict) else value for value in level)
        level = [inner for values in nested for inner in values if isinstance(inner, dict | list)]
        if not level:
            return data
    raise FetchRefused(f"The document of {host} is nested more than {MAX_DEPTH} deep.")


def _max_age(head: Message) -> int | None:
    directives = ", ".join(head.get_all("Cache-Control", [])).lower()
    if "no-store" in directives or "no-cache" in directives:
        return 0
    found = _MAX_AGE.search(directives)
    return int(found[1]) if found else None
