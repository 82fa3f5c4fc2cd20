"""Which revision a request speaks, and the checks the modern one makes before a method runs.

The rules are those of the specification, basic/versioning and basic/transports. A *modern* request (2026-07-28)
describes itself in `params._meta` and in headers that must agree with it; a *handshake* request belongs to what
`initialize` settled. What the methods do is `mcp.server`'s; what differs in a result is `services.downgrade`'s.
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import HeaderMismatch, InvalidParams, ProtocolError, UnsupportedVersion
from .exchange import Message
from .http_headers import decode_value
from .outlet import LOG_LEVELS
from .versions import ASSUMED_HANDSHAKE, NEWEST_HANDSHAKE, VERSIONS, Version

META_VERSION = "io.modelcontextprotocol/protocolVersion"
META_CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
META_CLIENT = "io.modelcontextprotocol/clientInfo"
META_LOG_LEVEL = "io.modelcontextprotocol/logLevel"
META_SERVER = "io.modelcontextprotocol/serverInfo"

# Request headers, in the lower case in which `Exchange.headers` holds them.
VERSION_HEADER = "mcp-protocol-version"
SESSION_HEADER = "mcp-session-id"
METHOD_HEADER = "mcp-method"
NAME_HEADER = "mcp-name"

# The parameter that `Mcp-Name` repeats, by method.
NAMED_BY = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
}


def is_modern_header(version_header: str | None) -> bool:
    """Say whether the version header alone points to the modern era: a modern or an unknown revision."""
    return version_header is not None and not _is_handshake(version_header)


def is_modern(message: Message, version_header: str | None) -> bool:
    """Say whether a request or notification belongs to the modern era. The method's name alone is no signal."""
    meta = message.meta
    describes_itself = META_VERSION in meta or META_CAPABILITIES in meta
    if message.method == "initialize" and not describes_itself:
        # Some clients leak the header of a failed modern probe into their handshake.
        return False
    if version_header is not None and _is_handshake(version_header):
        return describes_itself and meta.get(META_VERSION) != version_header
    return version_header is not None or describes_itself


def handshake_version(version_header: str | None, session_version: str | None) -> Version:
    """Return the revision of a handshake request: its session's, else its header's, else the assumed one."""
    return VERSIONS.get(session_version or version_header or "", ASSUMED_HANDSHAKE)


def negotiate(requested: object) -> Version:
    """Return the revision to answer `initialize` with: the requested one, or the newest that has a handshake."""
    return VERSIONS[requested] if isinstance(requested, str) and _is_handshake(requested) else NEWEST_HANDSHAKE


def check_initialize(params: Mapping[str, object]) -> None:
    """Check the shape of `initialize`. What a careless client leaves out is forgiven, what it gets wrong is not.

    :raises InvalidParams: naming the parameter
    """
    if not isinstance(params.get("protocolVersion"), str):
        raise InvalidParams('initialize needs "protocolVersion", a string.')
    for name in ("capabilities", "clientInfo"):
        if not isinstance(params.get(name, {}), dict):
            raise InvalidParams(f'"{name}" must be an object.')


def check_modern(message: Message, headers: Mapping[str, str]) -> None:
    """Make the checks of the modern era that come before the method is looked up, in the order of the specification.

    :param headers: request headers, names in lower case
    :raises InvalidParams: `_meta` incomplete
    :raises HeaderMismatch: a header missing or different from the body
    :raises UnsupportedVersion: header and body agree on a revision we do not speak
    """
    version = _self_described_version(message)
    _check_header(headers, "MCP-Protocol-Version", version)
    _check_header(headers, "Mcp-Method", message.method)
    if key := NAMED_BY.get(message.method):
        _check_name(headers.get(NAME_HEADER), message.params.get(key))
    if version not in VERSIONS or not VERSIONS[version].modern:
        raise UnsupportedVersion(
            f"Protocol version {version[:40]} is not supported here.",
            data={"supported": list(VERSIONS), "requested": version},
        )


def check_log_level(level: object) -> str:
    """Return a log level.

    :raises InvalidParams: when it is none of the eight of RFC 5424
    """
    if level not in LOG_LEVELS:
        raise InvalidParams(f"The log level must be one of {', '.join(LOG_LEVELS)}.")
    return str(level)


def http_status(error: ProtocolError, version: Version) -> int:
    """Return the HTTP status of an error that a method raised.

    In the handshake era it is always 200: there a 404 tells the client to throw its session away.
    """
    return error.http_status if version.modern else 200


def _is_handshake(name: str) -> bool:
    return name in VERSIONS and not VERSIONS[name].modern


def _self_described_version(message: Message) -> str:
    version, capabilities = message.meta.get(META_VERSION), message.meta.get(META_CAPABILITIES)
    if not isinstance(version, str):
        raise InvalidParams(f'params._meta needs "{META_VERSION}", a string such as "{next(iter(VERSIONS))}".')
    if not isinstance(capabilities, dict):
        raise InvalidParams(f'params._meta needs "{META_CAPABILITIES}", an object.')
    return version


def _check_header(headers: Mapping[str, str], name: str, expected: str) -> None:
    found = headers.get(name.lower())
    if found is None:
        raise HeaderMismatch(f"The header {name} is missing.")
    if found.strip(" \t") != expected:
        raise HeaderMismatch(f"The header {name} differs from the body.")


def _check_name(found: str | None, expected: object) -> None:
    if found is None:
        raise HeaderMismatch("The header Mcp-Name is missing.")
    try:
        name = decode_value(found)
    except ValueError:
        raise HeaderMismatch("The header Mcp-Name is not valid base64 of UTF-8.") from None
    if name != expected:
        raise HeaderMismatch("The header Mcp-Name differs from the body.")
