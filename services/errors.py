"""The one error tree.

    McpError
    ├── ProtocolError            a JSON-RPC error object; caught by the dispatcher
    │   ├── ParseError           -32700, HTTP 400
    │   ├── InvalidRequest       -32600, HTTP 400
    │   ├── MethodNotFound       -32601, HTTP 404 (200 in the handshake era)
    │   ├── InvalidParams        -32602, HTTP 400 (200 in the handshake era)
    │   ├── ResourceNotFound     -32002, HTTP 200; handshake era only, InvalidParams stands for it in the modern one
    │   ├── InternalError        -32603, HTTP 200
    │   ├── HeaderMismatch       -32020, HTTP 400
    │   ├── MissingCapability    -32021, HTTP 400
    │   ├── UnsupportedVersion   -32022, HTTP 400
    │   ├── PageNeeded           -32042, HTTP 200; 2025-11-25 only
    │   └── RateLimited          429, HTTP 429 (200 in a session of the handshake era)
    ├── HttpRefusal              an HTTP status before any JSON-RPC exists: 401, 403, 404, 405, 406, 413, 415
    │   ├── SessionNotFound      HTTP 404, handshake era
    │   └── InsufficientScope    HTTP 403: the connection could ask its user for more
    ├── AskOnStream              not a failure: the call is rolled back, and goes on when its stream has asked
    ├── BecomesTask              not a failure: the call goes on as a task of its client; caught by `_call_tool`
    └── ToolError                a result with `isError`, written for the model; caught by `_call_tool`
        ├── PolicyDenied         names the rule that refused
        ├── NeedsInput           a question to the human that has no answer yet
        ├── Cancelled            the client does not want the call any more; nothing of it is kept
        └── KeepsNothing         not a failure: a result of a call that must leave no trace

Database concurrency errors are not part of it: they pass through so that Odoo retries the request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


class McpError(Exception):
    """Base of everything this addon raises on purpose. The message is safe to show to the client."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ProtocolError(McpError):
    """A JSON-RPC error. `http_status` is that of the modern era; see `services.protocol` for the handshake era."""

    code = -32603
    http_status = 200

    def __init__(self, message: str, data: object | None = None) -> None:
        super().__init__(message)
        self.data = data


class ParseError(ProtocolError):
    code = -32700
    http_status = 400


class InvalidRequest(ProtocolError):
    code = -32600
    http_status = 400


class MethodNotFound(ProtocolError):
    code = -32601
    http_status = 404


class InvalidParams(ProtocolError):
    code = -32602
    http_status = 400


class ResourceNotFound(ProtocolError):
    """`data` is `{"uri": "..."}`."""

    code = -32002


class InternalError(ProtocolError):
    code = -32603
    http_status = 200


class HeaderMismatch(ProtocolError):
    code = -32020
    http_status = 400


class MissingCapability(ProtocolError):
    """`data` is `{"requiredCapabilities": {...}}`, shaped as client capabilities."""

    code = -32021
    http_status = 400


class UnsupportedVersion(ProtocolError):
    """`data` is `{"supported": [...], "requested": "..."}`."""

    code = -32022
    http_status = 400


class PageNeeded(ProtocolError):
    """The person has to answer on a page of ours, then the client calls again. `data` is `{"elicitations": [...]}`."""

    code = -32042


class RateLimited(ProtocolError):
    """Refused for now: a budget of calls is used up, or too many run at this moment. See `services.call_limits`.

    :param reason: for the audit log, `rate_limited` or `busy`
    :param retry_after: seconds
    :param result: answer with this result, and HTTP 200, instead of an error
    """

    # No number of JSON-RPC or the specification: those of HTTP are free for applications.
    code = 429
    http_status = 429

    def __init__(self, reason: str, message: str, retry_after: int, result: dict | None = None) -> None:
        super().__init__(message, data={"code": reason, "retryable": True, "retry_after": retry_after})
        self.reason = reason
        self.retry_after = retry_after
        self.result = result


class HttpRefusal(McpError):
    """A request that is refused before it is a JSON-RPC message; answered with a bare HTTP status and a JSON body."""

    # The code of the JSON-RPC error that the body carries for clients that look for one.
    code = -32600
    data = None

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.http_status = status
        self.headers = dict(headers or {})


class SessionNotFound(HttpRefusal):
    """Unknown, expired, ended, or another principal's session: the client has to initialize again."""

    # No number of the specification: the one that clients of the handshake era know.
    code = -32001

    def __init__(self) -> None:
        super().__init__(404, "Session not found. Send initialize to start a new one.")


class BecomesTask(McpError):
    """Raised by `ToolCall.become_task` before any side effect: the call is rolled back and goes on as a job."""


class InsufficientScope(HttpRefusal):
    """A tool that needs more scope than the connection was granted, and that more scope would open (RFC 6750 §3.1).

    :param challenge: the `WWW-Authenticate` header that tells the client what to ask for
    """

    def __init__(self, message: str, challenge: str) -> None:
        super().__init__(403, message, {"WWW-Authenticate": challenge})


class AskOnStream(McpError):
    """Raised out of `mcp.server._handle` where `exchange.outlet` is an `outlet.Stream`, to ask on it.

    What the attempt has written is rolled back. Then, outside any transaction, `proceed` is called.

    :param proceed: takes the stream and the exchange; it may push and wait (calling `stream.check()` now and then), and
        returns the exchange to run next, with what was answered, or None to end the stream without a response
    """

    def __init__(self, proceed: Callable) -> None:
        super().__init__("The call goes on when its stream has asked.")
        self.proceed = proceed


class ToolError(McpError):
    """A call that could not be done, told to the model so that it can correct itself.

    :param code: stable snake_case word: `invalid_arguments`, `not_found`, `access_denied`, `conflict`, ...
    :param message: what was wrong and with which value
    :param fix: what to do next, one sentence
    :param retryable: whether the same call can succeed later without a change
    :param details: further facts as plain JSON, for instance `nearest` names
    """

    # What the audit log calls it.
    outcome = "error"

    def __init__(
        self,
        code: str,
        message: str,
        *,
        fix: str | None = None,
        retryable: bool = False,
        model: str | None = None,
        field: str | None = None,
        record: int | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.fix = fix
        self.retryable = retryable
        self.model = model
        self.field = field
        self.record = record
        self.details = dict(details or {})

    def as_dict(self) -> dict[str, object]:
        """Return the error as the plain JSON that goes into `structuredContent.error`."""
        facts = {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "fix": self.fix,
            "model": self.model,
            "field": self.field,
            "record": self.record,
            **self.details,
        }
        return {key: value for key, value in facts.items() if value is not None}


class PolicyDenied(ToolError):
    """A refusal by a guardrail, a profile or a token; `rule` says which, as `layer:rule`, e.g. `guardrail:model`.

    Without a `fix` of its own it says who could open what that layer closes.
    """

    outcome = "refused"
    _FIXES = {
        "guardrail": "Do without it: no profile can open this.",
        "tier": "Do without it: an administrator has closed it to every profile (MCP Server, Model Tiers).",
        "baseline": "Do without it; only an administrator can widen the baseline profile.",
        "profile": "Do without it, or ask the user to connect with a wider profile.",
        "client": "Do without it; only an administrator can widen what this application may do.",
        "scope": "Do without it, or ask the user to connect again and to grant more.",
        "endpoint": "Do without it until an administrator switches it on again.",
        "url": "Do without it, or ask the user to change the URL of this connection.",
        "user": "Do without it, or ask an administrator.",
    }

    def __init__(self, rule: str, message: str, *, fix: str | None = None, **facts: object) -> None:
        fix = fix or self._FIXES.get(rule.partition(":")[0])
        super().__init__("policy_denied", message, fix=fix, details={"rule": rule}, **facts)
        self.rule = rule


class NeedsInput(ToolError):
    """Raised by `ToolCall.need` before any side effect when somebody has not answered yet.

    :param questions: of `services.questions`, by keys that the tool has chosen
    :param approval: it is not the assistant's own user who has to answer, but the approvers of the profile
    :param by_profile: asked whatever the tool does, because the profile wants every change confirmed
    """

    def __init__(self, questions: Mapping[str, object], *, approval: bool = False, by_profile: bool = False) -> None:
        super().__init__("needs_input", " ".join(question.message for question in questions.values()))
        self.questions = dict(questions)
        self.approval = approval
        self.by_profile = by_profile
        # The same as `inputRequests` of MRTR, once it is known what this client can be asked; and what it has answered
        # to the questions before, for the next run of the call.
        self.requests: dict[str, dict] = {}
        self.answers: dict[str, object] = {}

    @property
    def key(self) -> str:
        return next(iter(self.questions))

    @property
    def question(self):
        return self.questions[self.key]


class Cancelled(ToolError):
    """The client has cancelled the call, or has gone where that means the same: everything is rolled back."""

    outcome = "cancelled"

    def __init__(self, message: str = "The client cancelled this call. Nothing was changed.") -> None:
        super().__init__("cancelled", message)


class KeepsNothing(ToolError):
    """Raised to end a call with a result and without a trace: the pipeline rolls back and answers with `result`.

    Where one call is a step of another, it is an error like any other.

    :param result: a `services.tool.ToolResult`
    """

    def __init__(self, code: str, message: str, result, **facts: object) -> None:
        super().__init__(code, message, **facts)
        self.result = result
