import logging
import operator
import time
from collections.abc import Mapping
from dataclasses import asdict

from odoo import api, models

from ..services import aliases
from ..services import schema as schemas
from ..services.errors import (
    BecomesTask,
    InvalidParams,
    KeepsNothing,
    NeedsInput,
    PageNeeded,
    ProtocolError,
    ToolError,
)
from ..services.exchange import Exchange
from ..services.input_requests import YES
from ..services.tool import ToolResult, ToolSpec, declared, spec_from_definition
from . import call_time, confirmation
from .call_environment import call_environment
from .odoo_errors import CONCURRENCY_ERRORS, translating
from .outbound import ask_before_leaving
from .rehearsal import changing, preview, reading_until_logged, rehearsed
from .tool_answer import answer, error_answer
from .tool_call import ToolCall

_logger = logging.getLogger(__name__)
# Lists of tools that are kept; a URL can ask for any.
_MOST_VISIBLE = 256
# What a result says that did nothing but ask.
_ASKED = ("confirmation_required", "waiting_for_approval")


class McpToolRegistry(models.AbstractModel):
    """Every tool of this database. Addons add theirs by inheriting this model: with `@tool` methods, or by overriding
    `get_tools` and `execute_tool`. Both kinds go through `_call_tool`.
    """

    _name = "mcp.tool.registry"
    _description = "MCP Tool Registry"

    @api.private
    def get_tools(self) -> list[dict]:
        """Return the definitions of all tools (MCP `Tool` objects), before any policy.

        Override it to append a dict with `name`, `description`, `inputSchema`, and handle the tool in `execute_tool`.
        Without `annotations.readOnlyHint` such a tool counts as a write.
        """
        return [spec.definition for spec in self._declared().values()]

    @api.private
    def execute_tool(self, call: ToolCall) -> Mapping | ToolResult:
        """Run one authorized call and return its result. Override it for tools added in `get_tools`.

        :raises ToolError: what the model should know and do
        """
        if call.spec.handler is None:
            raise LookupError(f"The tool {call.spec.name} is listed, but no addon handles it in execute_tool")
        return getattr(self, call.spec.handler)(call, **call.arguments)

    def _declared(self) -> dict[str, ToolSpec]:
        cls = type(self)
        # The class is rebuilt in place when addons are installed; its bases tell.
        memo = cls.__dict__.get("_mcp_declared")
        if memo is None or memo[0] != cls.__mro__:
            memo = cls._mcp_declared = (cls.__mro__, declared(cls))
        return memo[1]

    def _coded(self) -> dict[str, ToolSpec]:
        """Return the tools that code declares, by name, whatever administrators have decided."""
        definitions = self.get_tools()
        cls = type(self)
        memo = cls.__dict__.get("_mcp_coded")
        # Definitions of our own are the same objects every time; what an addon makes anew is looked at anew.
        if memo is None or len(memo[0]) != len(definitions) or any(map(operator.is_not, memo[0], definitions)):
            memo = cls._mcp_coded = (definitions, self._collected(definitions))
        return memo[1]

    def _specs(self) -> dict[str, ToolSpec]:
        """Return all tools that are switched on, by name, in the order in which they are listed."""
        coded = self._coded()
        # Cached with Odoo's signalling: a changed row makes a new object in every worker.
        governance = self.env["mcp.tool"]._governance()
        cls = type(self)
        memo = cls.__dict__.get("_mcp_specs")
        if memo is None or memo[0] is not coded or memo[1] is not governance:
            memo = cls._mcp_specs = (coded, governance, governance.applied(coded))
        return memo[2]

    def _collected(self, definitions: list[dict]) -> dict[str, ToolSpec]:
        own = self._declared()
        specs: dict[str, ToolSpec] = {}
        for definition in definitions:
            name = definition.get("name")
            if name in specs:
                raise ValueError(f"Two tools are named {name}")
            specs[name] = own.get(name) or spec_from_definition(definition)
        return specs

    def _visible_specs(self, exchange: Exchange) -> list[ToolSpec]:
        """Return the tools that this caller is shown. Not to be changed: kept as long as tools and policy are."""
        specs = self._specs()
        policy, narrowing = self.env["mcp.profile"]._compiled_for(exchange.credential), exchange.narrowing
        cls = type(self)
        memo = cls.__dict__.get("_mcp_visible")
        if memo is None or memo[0] is not specs or len(memo[1]) > _MOST_VISIBLE:
            memo = cls._mcp_visible = (specs, {})
        known, found = memo[1].get((policy.key, narrowing), (None, None))
        if known is not policy:
            found = self.env["mcp.policy"]._visible(list(specs.values()), policy, narrowing)
            memo[1][policy.key, narrowing] = policy, found
        return found

    def _listing(self, exchange: Exchange) -> list[dict]:
        """Return the definitions for `tools/list`: the tools this caller may use, in a stable order."""
        definitions = [spec.definition for spec in self._visible_specs(exchange)]
        if exchange.narrowing.schema == "portable":
            definitions = [{**item, "inputSchema": schemas.portable(item["inputSchema"])} for item in definitions]
        return definitions

    def _call_tool(self, exchange: Exchange) -> dict:
        """Run `tools/call`: find, validate, authorize, confirm, execute in a savepoint, shape, audit.

        :returns: a `CallToolResult` in its newest form, `isError` included
        :raises InvalidParams: no such tool, or params that are not a tools/call (JSON-RPC errors by specification)
        :raises InsufficientScope: the client can ask its user for what is missing
        """
        started = time.perf_counter()
        spec, arguments = self._called(exchange)
        self.env["mcp.policy"]._check_scope(spec, exchange)
        call = None
        reason = None
        try:
            call, options = self._prepare(exchange, spec, arguments)
            self.env["mcp.policy"]._authorize(call)
            result = self._answer(call, options)
            outcome, reason = _outcome(result)
        except NeedsInput:
            # Only where somebody else asks: rolled back, to be called again with the answers.
            self._audit(exchange, spec, call, "asked", None, {}, started)
            raise
        except ToolError as error:
            outcome, result, reason = error.outcome, error_answer(error, call), error
        except PageNeeded:
            self._audit(exchange, spec, call, "asked", None, {}, started)
            raise
        except ProtocolError:
            # Of no use to the model. `mcp.server` writes the row.
            raise
        except CONCURRENCY_ERRORS:
            # Odoo rolls back and runs the whole request again, audit row included.
            raise
        except Exception as error:
            # The one place that catches everything: a tool's crash is ours to log and no business of the client.
            _logger.exception("Tool %s failed in request %s", spec.name, exchange.reference)
            reason = f"internal_error: {type(error).__name__}"
            outcome, result = "error", error_answer(_internal_error(exchange), call)
        if call:
            self.env["mcp.token"]._note_taint(call)
        self._audit(exchange, spec, call, outcome, reason, result, started)
        return result

    def _answer(self, call: ToolCall, options: Mapping) -> dict:
        """Return the result of the call, or that of asking what it needs to know."""
        try:
            self.env["mcp.job"]._check_task(call)
            return answer(call, self._execute(call, options))
        except BecomesTask:
            return self.env["mcp.job"]._begin_task(call)
        except NeedsInput as needed:
            try:
                return self._ask(call, options, needed)
            except KeepsNothing as stopped:
                return answer(call, stopped.result)

    def _called(self, exchange: Exchange) -> tuple[ToolSpec, Mapping]:
        """Return the tool that a `tools/call` names, and its arguments. :raises InvalidParams: as `_call_tool`"""
        return self._find(*_params(exchange))

    def _find(self, name: str, arguments: Mapping) -> tuple[ToolSpec, Mapping]:
        """Return the tool called `name`, or the one this alias of another server stands for."""
        specs = self._specs()
        if name in specs:
            return specs[name], arguments
        alias = aliases.resolve(name, arguments)
        if alias is None or alias[0] not in specs:
            why = self.env["mcp.tool"]._governance().broken.get(name)
            raise InvalidParams(why or f"Unknown tool: {name[:64]}")
        return specs[alias[0]], alias[1]

    def _prepare(self, exchange: Exchange, spec: ToolSpec, arguments: Mapping) -> tuple[ToolCall, dict]:
        """Return the call, and apart from it the arguments that the pipeline itself handles."""
        valid = schemas.validate(spec.schema, arguments, access=spec.access)
        own = {name: value for name, value in valid.arguments.items() if name not in spec.common}
        options = {name: value for name, value in valid.arguments.items() if name in spec.common}
        policy = self.env["mcp.profile"]._compiled_for(exchange.credential)
        env = call_environment(self.env, policy, company_id=options.get("company_id"), lang=options.get("lang"))
        call = ToolCall(env, exchange, spec, policy, own, rehearsing=bool(options.get("dry_run")))
        for text in valid.notes:
            call.note(text)
        return call, options

    def _execute(self, call: ToolCall, options: Mapping) -> ToolResult:
        """Run the handler as a read, a rehearsal or a real change, each in a savepoint of its own."""
        try:
            call.check_refusals()
            with translating(call.env), call_time.limited_call(call):
                if call.spec.access == "read":
                    with rehearsed(call.env) if call.spec.rolls_back else reading_until_logged(call.env, call.seconds):
                        return _as_result(self.with_env(call.env).execute_tool(call))
                if call.rehearsing:
                    return self._rehearse(call)
                return self._change(call, options)
        except KeepsNothing as stopped:
            return stopped.result

    def _change(self, call: ToolCall, options: Mapping) -> ToolResult:
        key = options.get("idempotency_key")
        if (known := self.env["mcp.approval"]._known_outcome(call, options)) is not None:
            return known
        self.env["mcp.confirmation"]._check_current(call)
        with changing(call.env):
            if key and (stored := self.env["mcp.idempotency"]._claim(call, key)) is not None:
                call.note("This idempotency_key was used before: this is the first call's result.")
                return ToolResult(**stored)
            if token := options.get("confirm_token"):
                call.answers[confirmation.accepted_key(call, token)] = YES
            if state := call.exchange.state:
                self.env["mcp.idempotency"]._consume_state(call, state)
            call.need_by_profile()
            tools = self.with_env(call.env)
            ask_before_leaving(call, lambda: tools.execute_tool(call))
            result = _as_result(tools.execute_tool(call))
            # Code that catches everything may have swallowed it, and nobody waits for what would be kept.
            call.check_client()
            if key:
                self.env["mcp.idempotency"]._store(call, key, asdict(result))
            return result

    def _rehearse(self, call: ToolCall) -> ToolResult:
        """Really run the call, roll it back, and return what it would have done."""
        with rehearsed(call.env) as rehearsal:
            result = _as_result(self.with_env(call.env).execute_tool(call))
            difference = call.journal.difference()
        return preview(call, result, difference, rehearsal)

    def _audit(self, exchange, spec, call, outcome, reason, result, started) -> None:
        self.env["mcp.audit.log"]._record(
            exchange,
            tool=spec.name,
            outcome=outcome,
            reason=reason,
            model=call.model if call else None,
            record_ids=call.record_ids if call else (),
            dry_run=bool(call and call.rehearsing),
            duration_ms=(time.perf_counter() - started) * 1000,
            response_size=sum(len(block.get("text", "")) for block in result.get("content", ())),
            result=result,
        )


def _outcome(result: Mapping) -> tuple[str, str | None]:
    """Return the outcome and its reason, for the audit log, of a call that has not failed."""
    if result.get("resultType") == "input_required":
        return "asked", None
    if result.get("resultType") == "task":
        return "ok", "goes on as a task"
    status = result["structuredContent"].get("status")
    return "asked" if status in _ASKED else "ok", "declined by the user" if status == "declined" else None


def _params(exchange: Exchange) -> tuple[str, Mapping]:
    name = exchange.message.params.get("name")
    arguments = exchange.message.params.get("arguments")
    if not isinstance(name, str) or not name:
        raise InvalidParams("params.name must be the name of a tool")
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        raise InvalidParams("params.arguments must be an object")
    return name, arguments


def _as_result(value: Mapping | ToolResult) -> ToolResult:
    return value if isinstance(value, ToolResult) else ToolResult(structured=value)


def _internal_error(exchange: Exchange) -> ToolError:
    return ToolError(
        "internal_error",
        f"Something went wrong inside Odoo. Nothing was changed. Reference: {exchange.request_id}.",
        fix="Tell the user the reference; an administrator finds the cause in Odoo's log.",
    )
