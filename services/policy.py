"""The compiled policy: guardrails, baseline profile and token profile as one immutable object.

It answers, in memory, whether a tool, a model operation or a field is open to a caller, and names the rule that
refuses. Odoo's own access rights and record rules come after it, in the ORM; nothing here can widen them.
The order of the checks is the order of the layers: guardrails first, then the baseline profile, then the token's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from . import guardrails
from .errors import PolicyDenied
from .tool import ACCESS_LEVELS, ToolSpec

OPERATIONS = ("read", "write", "create", "delete", "call")
CONFIRMATION_MODES = ("never", "destructive", "always")
# Reads what has become of a token's own parked calls: open to whoever may have some, whatever the toolsets.
FOLLOW_UP_TOOL = "odoo_list_jobs"


@dataclass(frozen=True)
class Layer:
    """The limits of one profile, or of the scopes that a connection was granted.

    `toolsets` None means all, `calls_per_minute` 0 that this layer does not count.
    """

    kind: str
    name: str
    level: str
    allow_delete: bool
    toolsets: frozenset[str] | None
    confirmation: str
    approval: str = "never"
    profile_id: int | None = None
    calls_per_minute: int = 0

    def refusal_of_tool(self, spec: ToolSpec) -> str | None:
        """Return why this layer refuses a tool, or None."""
        if ACCESS_LEVELS.index(spec.access) > ACCESS_LEVELS.index(self.level):
            return f"{self._subject} allows {self.level} access and {spec.name} needs {spec.access}"
        if self.toolsets is not None and spec.toolset not in self.toolsets:
            return f"{self._subject} does not include the toolset {spec.toolset}"
        return None

    def refusal_of_operation(self, operation: str) -> str | None:
        """Return why this layer refuses an operation on any model, or None."""
        if operation != "read" and self.level == "read":
            return f"{self._subject} is read only"
        if operation == "delete" and not self.allow_delete:
            return f"{self._subject} does not allow deleting"
        return None

    @property
    def _subject(self) -> str:
        return f"the scope {self.name}" if self.kind == "scope" else f"the profile “{self.name}”"


def scope_layer(level: str) -> Layer:
    """Return the limits of a connection that was granted scopes up to this access level."""
    return Layer("scope", f"mcp:{level}", level, allow_delete=True, toolsets=None, confirmation="never")


@dataclass(frozen=True)
class CompiledPolicy:
    """What one token may do, before Odoo's own rights. Hashable and free of records, so that it can be cached."""

    layers: tuple[Layer, ...]

    @property
    def level(self) -> str:
        """The effective access level: the lowest of all layers."""
        return min((layer.level for layer in self.layers), key=ACCESS_LEVELS.index)

    @property
    def confirmation(self) -> str:
        """When a human is asked, the assistant's or another: the strictest mode of all layers."""
        modes = (mode for layer in self.layers for mode in (layer.confirmation, layer.approval))
        return max(modes, key=CONFIRMATION_MODES.index)

    @property
    def approval(self) -> str:
        """When other people have to approve: the strictest mode of all layers."""
        return max((layer.approval for layer in self.layers), key=CONFIRMATION_MODES.index)

    def approving(self, *, grave: bool) -> tuple[Layer, ...]:
        """Return the layers that want a write approved. :param grave: it is one that is asked about"""
        return tuple(
            layer for layer in self.layers if layer.approval == "always" or (grave and layer.approval != "never")
        )

    def lists_follow_up(self, spec: ToolSpec) -> bool:
        """Say whether this is the tool by which the outcome of parked calls is learnt, and there may be such calls."""
        return spec.name == FOLLOW_UP_TOOL and self.approval != "never"

    @property
    def calls_per_minute(self) -> int:
        """How many calls a minute may see: the smallest number of all layers, 0 where none has one."""
        return min((layer.calls_per_minute for layer in self.layers if layer.calls_per_minute), default=0)

    def allows_tool(self, spec: ToolSpec) -> bool:
        if self.lists_follow_up(spec):
            return True
        return all(layer.refusal_of_tool(spec) is None for layer in self.layers)

    def check_tool(self, spec: ToolSpec) -> None:
        """:raises PolicyDenied: naming the layer that leaves the tool out"""
        if self.lists_follow_up(spec):
            return
        for layer in self.layers:
            if reason := layer.refusal_of_tool(spec):
                raise PolicyDenied(f"{layer.kind}:tool", f"{spec.name} is not open to this token: {reason}.")

    def allows_model(self, model: str, operation: str = "read") -> bool:
        return self._refusal_of_model(model, operation) is None

    def check_model(self, model: str, operation: str = "read") -> None:
        """:raises PolicyDenied: naming the guardrail or layer that closes the model for this operation"""
        if refusal := self._refusal_of_model(model, operation):
            rule, reason = refusal
            raise PolicyDenied(rule, reason, model=model)

    def allows_field(self, model: str, field: str, operation: str = "read") -> bool:
        return self._refusal_of_field(field, operation) is None

    def check_field(self, model: str, field: str, operation: str = "read") -> None:
        """:raises PolicyDenied: naming the guardrail or layer that closes the field for this operation"""
        if refusal := self._refusal_of_field(field, operation):
            rule, reason = refusal
            raise PolicyDenied(rule, f"{model}.{field} {reason}", model=model, field=field)

    def check_method(self, model: str, method: str) -> None:
        """:raises PolicyDenied: naming the guardrail or layer that closes a method, or calls on its model"""
        self.check_model(model, "call")
        if guardrails.method_is_uncallable(method):
            raise PolicyDenied("guardrail:method", f"{method} is never open to assistants.", model=model)

    def readable_fields(self, model: str, fields: Iterable[str]) -> list[str]:
        """Return those of `fields` that may be read, in their order."""
        return [field for field in fields if self.allows_field(model, field)]

    def _refusal_of_model(self, model: str, operation: str) -> tuple[str, str] | None:
        if guardrails.model_is_unreachable(model):
            return "guardrail:model", f"{model} is never open to assistants."
        if operation != "read" and guardrails.model_is_read_only(model):
            return "guardrail:model", f"{model} can be read but never changed by assistants; use Odoo's own screens."
        for layer in self.layers:
            if reason := layer.refusal_of_operation(operation):
                return f"{layer.kind}:{operation}", f"To {operation} {model} is not open to this token: {reason}."
        return None

    def _refusal_of_field(self, field: str, operation: str) -> tuple[str, str] | None:
        if guardrails.field_is_secret(field):
            return "guardrail:field", "holds a credential and is never open to assistants."
        if operation != "read" and guardrails.field_is_unwritable(field):
            return "guardrail:field", "is kept by Odoo and cannot be written."
        return None
