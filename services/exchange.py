"""What one HTTP request brought, as frozen values that travel from the dispatcher to the tools.

Nothing here decides anything; `services.protocol` fills it, `mcp.server` and the tools read it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .outlet import Outlet
from .request_state import RequestState
from .running_calls import RunningCall
from .versions import Version

SCHEMA_FORMS = ("rich", "portable")
_FLAGS = {"1": True, "true": True, "yes": True, "": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True)
class Credential:
    """Who asks: the token that authenticated the request. Made by `ir.http` only.

    :param kind: that of the `mcp.token` row: `personal`, `oauth`, `api_key`, `external`; or `link`, see `file_links`
    :param token_id: id of the `mcp.token` row
    :param profile_id: id of the token's `mcp.profile`
    :param ip: remote address as Odoo sees it (behind `proxy_mode` the client's)
    :param scopes: what the token is limited to; None for a credential that knows no scopes
    :param client_profile_id: of the `mcp.profile` that limits the application it was given to
    """

    kind: str
    token_id: int
    user_id: int
    profile_id: int
    ip: str
    user_agent: str = ""
    scopes: tuple[str, ...] | None = None
    client_profile_id: int | None = None


@dataclass(frozen=True)
class Message:
    """One JSON-RPC request or notification. `id` is None for a notification."""

    method: str
    params: Mapping[str, object]
    id: str | int | None = None

    @property
    def is_notification(self) -> bool:
        return self.id is None

    @property
    def meta(self) -> Mapping[str, object]:
        meta = self.params.get("_meta")
        return meta if isinstance(meta, dict) else {}


@dataclass(frozen=True)
class Narrowing:
    """What the URL asks to leave out. It can only narrow what the token may do.

    `toolsets`: None = all granted; `schema`: `rich` or `portable` (free-form maps as JSON strings).
    """

    toolsets: frozenset[str] | None = None
    exclude: frozenset[str] = frozenset()
    readonly: bool = False
    schema: str = "rich"

    @classmethod
    def from_query(cls, query: Mapping[str, Sequence[str]]) -> Narrowing:
        """Read the query string, given as lists of values by name; unknown parameters are ignored.

        :raises ValueError: a value that cannot be understood; the message is fit for the client
        """
        toolsets = _words(query.get("toolsets", ()))
        schema = (query.get("schema") or ["rich"])[-1]
        if schema not in SCHEMA_FORMS:
            raise ValueError(f"The query parameter schema must be one of {', '.join(SCHEMA_FORMS)}.")
        flags = [value.lower() for value in query.get("readonly", ())]
        if not _FLAGS.keys() >= set(flags):
            raise ValueError("The query parameter readonly must be 1 or 0.")
        return cls(
            toolsets=toolsets or None,
            exclude=_words(query.get("exclude", ())),
            readonly=any(_FLAGS[flag] for flag in flags),
            schema=schema,
        )


@dataclass(frozen=True)
class Exchange:
    """One message with all that its transport says about it.

    :param session_key: the `Mcp-Session-Id` of a handshake session (with `initialize`: the one to be opened), None in
        the modern era
    :param session_id: id of the `mcp.session` row, None in the modern era
    :param client: `{"name", "version", ...}` as the client claims; to be logged, never trusted
    :param capabilities: the client's capabilities, of this request (modern) or of its session (handshake)
    :param log_level: least severe log message the client asked for, None for no messages
    :param headers: the `Mcp-*` request headers, names in lower case
    :param request_id: our own id of this request, for the audit log and error references
    :param approval_id: id of the `mcp.approval` row by which this call was approved; set where it is run, only
    :param trace: the client's `traceparent`, see `services.trace_context`
    :param answers: what was answered to this call's questions, by question key, as the client's result objects
        (`{"action": "accept", "content": {...}}`); only to questions that were really asked
    :param proven: the answers were given where a profile wants them that wants a page of Odoo's
    :param tainted: when it was submitted its token had just read what outsiders wrote; see `token_taint`
    :param offered: likewise, sent without proof that anything was asked
    :param state: of the questions that `answers` belong to, where the client has carried it (MRTR)
    :param takes_questions: the transport can ask the client while the call waits; see `asks_itself`
    :param outlet: the way back to the client while the call runs; None where nobody can hear it
    :param job_id: id of the `mcp.job` row that this call is run for
    :param running: what can end this call while it runs; None where nothing can
    :param part_start: how many items of the job were in the parts before this one, where it is run in parts
    """

    message: Message
    version: Version
    credential: Credential
    request_id: str
    session_key: str | None = None
    session_id: int | None = None
    client: Mapping[str, object] = field(default_factory=dict)
    capabilities: Mapping[str, object] = field(default_factory=dict)
    log_level: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    narrowing: Narrowing = Narrowing()
    transport: str = "http"
    size: int = 0
    approval_id: int | None = None
    trace: str | None = None
    answers: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    proven: bool = False
    tainted: bool = False
    offered: Mapping[str, object] = field(default_factory=dict)
    state: RequestState | None = None
    takes_questions: bool = False
    outlet: Outlet | None = field(default=None, compare=False, repr=False)
    job_id: int | None = None
    running: RunningCall | None = field(default=None, compare=False, repr=False)
    part_start: int = 0

    @property
    def asks_itself(self) -> bool:
        """Whether `NeedsInput` leaves the pipeline for whoever runs this call: a job, an open stream."""
        return self.takes_questions or self.job_id is not None

    @property
    def progress_token(self) -> str | int | None:
        """The token under which the client wants to hear of progress, None where it does not."""
        token = self.message.meta.get("progressToken")
        return token if isinstance(token, (str, int)) and not isinstance(token, bool) else None

    @property
    def reference(self) -> str:
        """How log lines name this request: our own id, and the client's trace where it has one."""
        return f"{self.request_id} (trace {self.trace})" if self.trace else self.request_id


def _words(values: Iterable[str]) -> frozenset[str]:
    return frozenset(word.strip() for value in values for word in value.split(",") if word.strip())
