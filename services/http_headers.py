"""Values of the `Mcp-*` request headers of revision 2026-07-28 (specification, basic/transports, SEP-2243).

It decodes a value and compares mirrored arguments with the headers that mirror them. Which header a method needs is
decided in `services.protocol`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping

from .errors import HeaderMismatch

PREFIX, SUFFIX = "=?base64?", "?="
PARAM_PREFIX = "mcp-param-"


def decode_value(raw: str) -> str:
    """Return the text of a header value, decoded where it has the form `=?base64?...?=`.

    :raises ValueError: wrong padding, foreign alphabet, non-canonical base64, or bytes that are not UTF-8
    """
    raw = raw.strip(" \t")
    if not (raw.startswith(PREFIX) and raw.endswith(SUFFIX) and len(raw) >= len(PREFIX) + len(SUFFIX)):
        return raw
    encoded = raw[len(PREFIX) : -len(SUFFIX)]
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as exc:
        raise ValueError("not valid base64") from exc
    if base64.b64encode(decoded).decode() != encoded:
        raise ValueError("not canonical base64")
    return decoded.decode("utf-8")


def check_mirrored_arguments(schema: Mapping[str, object], arguments: object, headers: Mapping[str, str]) -> None:
    """Check that every argument marked `x-mcp-header` in an input schema agrees with its `Mcp-Param-*` header.

    :param arguments: as the client sent them; what is no object has no arguments
    :param headers: request headers, names in lower case
    :raises HeaderMismatch: header missing, malformed, different, or sent for an argument that is absent
    """
    for path, name in mirrored_arguments(schema):
        raw = headers.get(PARAM_PREFIX + name.lower())
        value = _argument(arguments, path)
        if value is None and raw is None:
            continue
        if value is None or raw is None or not _agrees(value, raw):
            raise HeaderMismatch(f"The header Mcp-Param-{name} does not agree with the argument {'.'.join(path)}.")


def mirrored_arguments(
    schema: Mapping[str, object], path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield argument path and header name, along `properties` only: elsewhere the mark has no meaning."""
    properties = schema.get("properties")
    if not isinstance(properties, Mapping):
        return
    for key, fragment in properties.items():
        if not isinstance(fragment, Mapping):
            continue
        if name := fragment.get("x-mcp-header"):
            yield (*path, key), str(name)
        yield from mirrored_arguments(fragment, (*path, key))


def _argument(arguments: object, path: tuple[str, ...]) -> object:
    for key in path:
        arguments = arguments.get(key) if isinstance(arguments, Mapping) else None
    return arguments


def _agrees(value: object, raw: str) -> bool:
    try:
        text = decode_value(raw)
        if isinstance(value, bool):
            return text == ("true" if value else "false")
        if isinstance(value, int | float):
            return float(text) == float(value)
    except ValueError:
        return False
    return text == value
