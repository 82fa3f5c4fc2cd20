"""The tasks extension (`io.modelcontextprotocol/tasks`): what its messages look like, and who may use it.

It exists for the stateless revision alone, and for requests that declare it. What a task does is `mcp.job`'s.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from .errors import InvalidParams, MissingCapability
from .exchange import Exchange

Json = dict[str, object]

EXTENSION = "io.modelcontextprotocol/tasks"
NOTIFICATION = "notifications/tasks"
# How long a client had better wait between two looks: at first, and after that of what takes longer.
POLL_MS, LATER_POLL_MS = 1_000, 3_000
# That a client may listen to at a time.
MOST_LISTENED = 100
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
# State of a job to status of a task. A failure that a model is to read is a completed task.
STATUS = {
    "queued": "working",
    "running": "working",
    "needs_input": "input_required",
    "done": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
# What of a client's capabilities matters when its task asks something.
_ASKED_FOR = ("elicitation", "sampling", "roots")


def is_declared(exchange: Exchange) -> bool:
    """Say whether this request may be answered with a task."""
    extensions = exchange.capabilities.get("extensions")
    return exchange.version.modern and isinstance(extensions, dict) and isinstance(extensions.get(EXTENSION), dict)


def missing() -> MissingCapability:
    """Return the error of a request that needs the extension and does not declare it."""
    return MissingCapability(
        f"This needs the extension {EXTENSION}.", data={"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
    )


def task_id(exchange: Exchange) -> str:
    """Return the id that a method of the extension names. :raises ProtocolError: extension or id are missing"""
    if not is_declared(exchange):
        raise missing()
    found = exchange.message.params.get("taskId")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise unknown()
    return found


def wished(exchange: Exchange, ids: object) -> list[str]:
    """Return the ids of tasks that a client wants to hear of, those left out that nobody has.

    :raises ProtocolError: the extension is missing; or they are no ids, or too many
    """
    if not is_declared(exchange):
        raise missing()
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise InvalidParams('"taskIds" is a list of the ids of tasks.')
    if len(ids) > MOST_LISTENED:
        raise InvalidParams(f"No more than {MOST_LISTENED} tasks can be listened to at a time.")
    return [each for each in dict.fromkeys(ids) if _ID.fullmatch(each)]


def unknown() -> InvalidParams:
    """Return the same error for an id that is wrong, somebody else's, or past its time."""
    return InvalidParams("There is no such task.")


def seen_of(state: Mapping[str, object]) -> tuple[object, ...]:
    """Return what of a task's state is worth a notification when it is another."""
    return state["status"], state.get("statusMessage"), *state.get("inputRequests", ())


def abilities(capabilities: Mapping[str, object]) -> Json:
    """Return what is kept of the capabilities of the client that wanted a task."""
    return {name: _modes(capabilities[name]) for name in _ASKED_FOR if isinstance(capabilities.get(name), dict)}


def _modes(declared: Mapping[str, object]) -> Json:
    return {mode: {} for mode in ("form", "url") if mode in declared}


def to_wire(moment: datetime) -> str:
    """Return a naive UTC time as the specification writes it."""
    return moment.replace(tzinfo=UTC, microsecond=0).isoformat().replace("+00:00", "Z")
