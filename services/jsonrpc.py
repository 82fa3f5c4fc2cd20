"""JSON-RPC 2.0 as MCP uses it: bytes to messages, results and errors to envelopes.

It decides whether a body is well-formed JSON and whether a value in it is a request, a notification or a response.
It knows no method, no protocol version and no HTTP status beyond those the errors carry.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from .errors import HttpRefusal, InvalidParams, InvalidRequest, ParseError, ProtocolError
from .exchange import Message

# Deeper than any domain or nested command we accept, far from Python's own recursion limit.
MAX_DEPTH = 64
MAX_METHOD_LENGTH = 128
MAX_ID_LENGTH = 256
# What PostgreSQL's bigint holds. Python would happily carry a number of a million digits.
MAX_INTEGER = 2**63 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class ClientResponse:
    """A client's answer to a request of ours (handshake era): the result, or the error object."""

    id: str | int
    result: object | None = None
    error: Mapping[str, object] | None = None


class _Clean(dict):
    """A message whose text needs no look."""


def parse(body: bytes) -> object:
    """Return the JSON value of a request body.

    :raises ParseError: not UTF-8, not JSON (RFC 8259), a repeated key, NaN or Infinity, or nested too deep
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise ParseError(f"The body is not UTF-8: invalid byte at position {exc.start}.") from None
    try:
        value = json.loads(text, object_pairs_hook=_unique_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as exc:
        raise ParseError(f"The body is not JSON: {exc.msg} at line {exc.lineno} column {exc.colno}.") from None
    except RecursionError:
        raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError:
        # The only other ValueError is Python's limit on the digits of an integer.
        raise ParseError("The body holds a number with too many digits.") from None
    _check_values(value)
    # Only an escape can bring what `_check_text` looks for: JSON has no raw control characters, UTF-8 no surrogates.
    return _Clean(value) if isinstance(value, dict) and "\\u" not in text else value


def read(value: object) -> Message | ClientResponse:
    """Return the message that one JSON value is.

    :raises InvalidRequest: neither a request, nor a notification, nor a response
    :raises InvalidParams: `params` is not an object
    """
    if not isinstance(value, dict):
        raise InvalidRequest("A JSON-RPC message must be an object.")
    if value.get("jsonrpc") != "2.0":
        raise InvalidRequest('"jsonrpc" must be "2.0".')
    if "id" in value and readable_id(value) is None:
        raise InvalidRequest('"id" must be a string or an integer.')
    if not isinstance(value, _Clean):
        _check_text(value)
    if "method" not in value:
        return _read_response(value)
    method = value["method"]
    if not isinstance(method, str) or not 0 < len(method) <= MAX_METHOD_LENGTH:
        raise InvalidRequest(f'"method" must be a string of 1 to {MAX_METHOD_LENGTH} characters.')
    params = value.get("params", {})
    if not isinstance(params, dict):
        raise InvalidParams('"params" must be an object.')
    return Message(method=method, params=params, id=value.get("id"))


def readable_id(value: object) -> str | int | None:
    """Return the id to answer a message with, None where it has none that is valid."""
    found = value.get("id") if isinstance(value, dict) else None
    if isinstance(found, str) and len(found) <= MAX_ID_LENGTH and _is_clean(found):
        return found
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def success(id: str | int, result: Mapping[str, object]) -> dict[str, object]:
    """Return the envelope of a result."""
    return {"jsonrpc": "2.0", "id": id, "result": result}


def failure(id: str | int | None, error: ProtocolError | HttpRefusal) -> dict[str, object]:
    """Return the envelope of an error; the id is left out where the request's could not be read."""
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    envelope: dict[str, object] = {"jsonrpc": "2.0"}
    if id is not None:
        envelope["id"] = id
    envelope["error"] = body
    return envelope


class Prepared(list):
    """A list that keeps its JSON, for an answer that is sent often. It must not be changed."""

    @cached_property
    def json(self) -> str:
        return _text(self)


def dump(value: object, default: Callable[[object], object] | None = None) -> bytes:
    """Return a value as compact UTF-8 JSON; `default` writes down what JSON does not know.

    In an answer, members of `result` that are `Prepared` are not written again.

    Half a surrogate pair, which UTF-8 cannot express, becomes a question mark.

    :raises ValueError: for NaN and Infinity, which are not JSON
    """
    result = value.get("result") if isinstance(value, dict) else None
    ready = {key: item for key, item in result.items() if isinstance(item, Prepared)} if result else {}
    if not ready:
        return _text(value, default).encode("utf-8", "replace")
    rest = {key: item for key, item in result.items() if key not in ready}
    envelope = {key: item for key, item in value.items() if key != "result"}
    written = ",".join([*(f"{_text(key)}:{item.json}" for key, item in ready.items()), *_members(rest, default)])
    members = ",".join([*_members(envelope, default), f'"result":{{{written}}}'])
    return f"{{{members}}}".encode("utf-8", "replace")


def _members(value: Mapping[str, object], default: Callable[[object], object] | None) -> list[str]:
    """Return the JSON of an object without its braces, as one text; none for an empty object."""
    return [_text(value, default)[1:-1]] if value else []


def _text(value: object, default: Callable[[object], object] | None = None) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=default)


def _read_response(value: dict[str, object]) -> ClientResponse:
    if "id" not in value or ("result" in value) == ("error" in value):
        raise InvalidRequest('A message needs "method" or, as a response, "id" with either "result" or "error".')
    error = value.get("error")
    if error is not None and not isinstance(error, dict):
        raise InvalidRequest('"error" must be an object.')
    return ClientResponse(id=value["id"], result=value.get("result"), error=error)


def _unique_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        # Counted once: asking for each key how often it occurs takes hours for a body of a million keys.
        repeated = Counter(key for key, _value in pairs).most_common(1)[0][0]
        raise ParseError(f"The body repeats the key {repeated[:80]!a}.")
    return found


def _refuse_constant(name: str) -> object:
    raise ParseError(f"{name} is not JSON.")


def _check_values(value: object) -> None:
    """Refuse what Python's parser lets pass and what PostgreSQL or the next parser will not."""
    level = [value]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise ParseError("The body holds a number out of range.")
            elif isinstance(item, int) and abs(item) > MAX_INTEGER:
                raise ParseError("The body holds an integer of more than 64 bits.")
        level = below


def _check_text(value: dict[str, object]) -> None:
    """Refuse text that no database column and no UTF-8 answer can hold, with the request's id at hand."""
    pending: list[object] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str) and not _is_clean(item):
            raise InvalidRequest("A string holds a NUL character or half of a surrogate pair.")


def _is_clean(text: str) -> bool:
    return "\0" not in text and (text.isascii() or _SURROGATE.search(text) is None)
