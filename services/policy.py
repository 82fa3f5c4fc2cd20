"""The compiled policy: guardrails, tiers, baseline profile, token profile and scopes as one immutable object.

It answers, in memory, whether a tool, a model operation, a field or a method is open to a caller, and names the rule
that refuses. Odoo's own access rights and record rules come after it, in the ORM; nothing here can widen them.
The order of the checks is the order of the layers: guardrails and tiers first, then the baseline profile, then the
token's, then that of the application it was given to, then its scopes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from . import guardrails
from .errors import PolicyDenied
from .ip_rules import AddressRules
from .model_tiers import Tiers
from .policy_rules import ModelRule, NameList, RuleSet
from .tool import ACCESS_LEVELS, ToolSpec

OPERATIONS = ("read", "write", "create", "delete", "call")
CONFIRMATION_MODES = ("never", "destructive", "always")
# Reads what has become of a token's own parked calls: open to whoever may have some, whatever the toolsets.
FOLLOW_UP_TOOL = "odoo_list_jobs"
# Runs another tool later. Who may call which is decided for that one as if it were called directly.
JOB_TOOL = "odoo_run_job"
# What a policy remembers of models: clients may make up names without end.
_MOST_KEPT = 4_096


@dataclass(frozen=True)
class Layer:
    """The limits of one profile, or of the scopes that a connection was granted.

    :param kind: `baseline`, `profile`, `client` or `scope`
    :param toolsets: None means all
    :param approval: which changes other people must agree to; `profile_id` says who they are
    :param confirms_on_page: a client's own answer to a question of consent does not count
    :param calls_per_minute: 0 when this layer does not count
    :param rules: for models; without any, all models are open
    :param companies: ids of the companies to work in; None means all of the user's
    :param max_result: characters of an answer; 0 means what the tools allow
    :param capture: payloads go into the audit log
    :param lockdown: text by outsiders is hidden
    """

    kind: str
    name: str
    level: str
    allow_delete: bool
    toolsets: frozenset[str] | None
    confirmation: str
    approval: str = "never"
    confirms_on_page: bool = False
    profile_id: int | None = None
    calls_per_minute: int = 0
    tools: NameList = NameList()
    rules: RuleSet = RuleSet()
    addresses: AddressRules = AddressRules()
    companies: frozenset[int] | None = None
    max_result: int = 0
    capture: bool = False
    lockdown: bool = False

    def refusal_of_tool(self, spec: ToolSpec) -> str | None:
        """Return why this layer refuses a tool, or None."""
        if ACCESS_LEVELS.index(spec.needs) > ACCESS_LEVELS.index(self.level):
            return f"{self.subject} allows {self.level} access and {spec.name} needs {spec.needs}"
        if self.toolsets is not None and spec.toolset not in self.toolsets:
            return f"{self.subject} does not include the toolset {spec.toolset}"
        # What is read by a method of the protocol, such as `prompts/get`, is no tool.
        if "/" not in spec.name and not self.tools.admits(spec.name):
            return f"{self.subject} does not include it"
        return None

    def refusal_of_operation(self, model: str, operation: str) -> str | None:
        """Return why this layer refuses an operation on a model, or None."""
        if operation != "read" and self.level == "read":
            return f"{self.subject} is read only"
        if operation == "delete" and not self.allow_delete:
            return f"{self.subject} does not allow deleting"
        if self.rules:
            rule = self.rules.of(model)
            if rule is None:
                return f"{self.subject} has no rule that opens {model}"
            if operation not in rule.operations:
                return f"the rule {rule.pattern} of {self.subject} does not allow it"
        return None

    @property
    def subject(self) -> str:
        names = {"scope": f"the scope {self.name}", "client": f"the profile “{self.name}” of this application"}
        return names.get(self.kind, f"the profile “{self.name}”")


def scope_layer(level: str) -> Layer:
    """Return the limits of a connection that was granted scopes up to this access level."""
    return Layer("scope", f"mcp:{level}", level, allow_delete=True, toolsets=None, confirmation="never")


@dataclass(frozen=True)
class CompiledPolicy:
    """What one token may do, before Odoo's own rights. Hashable and free of records, so that it can be cached.

    :param key: by which `mcp.profile` finds it again
    """

    layers: tuple[Layer, ...]
    tiers: Tiers = Tiers()
    key: str = field(default="", compare=False)
    _limited: dict[str, tuple[tuple[Layer, ModelRule], ...]] = field(
        default_factory=dict, init=False, compare=False, hash=False, repr=False
    )
    _refusals: dict[tuple[str, str], tuple[str, str] | None] = field(
        default_factory=dict, init=False, compare=False, hash=False, repr=False
    )

    @cached_property
    def level(self) -> str:
        """The effective access level: the lowest of all layers."""
        return min((layer.level for layer in self.layers), key=ACCESS_LEVELS.index)

    @cached_property
    def confirmation(self) -> str:
        """When a human is asked, the assistant's or another: the strictest mode of all layers."""
        modes = (mode for layer in self.layers for mode in (layer.confirmation, layer.approval))
        return max(modes, key=CONFIRMATION_MODES.index)

    @cached_property
    def approval(self) -> str:
        """When other people have to approve: the strictest mode of all layers."""
        return max((layer.approval for layer in self.layers), key=CONFIRMATION_MODES.index)

    @property
    def confirms_on_page(self) -> bool:
        """Whether destructive changes are confirmed on a page of Odoo's: where any layer wants it."""
        return any(layer.confirms_on_page for layer in self.layers)

    def approving(self, *, grave: bool) -> tuple[Layer, ...]:
        """Return the layers that want a write approved. :param grave: it is one that is asked about"""
        return tuple(
            layer for layer in self.layers if layer.approval == "always" or (grave and layer.approval != "never")
        )

    def lists_follow_up(self, spec: ToolSpec) -> bool:
        """Say whether this is the tool by which the outcome of parked calls is learnt, and there may be such calls."""
        return spec.name == FOLLOW_UP_TOOL and self.approval != "never"

    @cached_property
    def calls_per_minute(self) -> int:
        """How many calls a minute may see: the smallest number of all layers, 0 where none has one."""
        return min((layer.calls_per_minute for layer in self.layers if layer.calls_per_minute), default=0)

    @cached_property
    def companies(self) -> frozenset[int] | None:
        """Ids of the companies that every layer leaves, None when none says anything."""
        limits = [layer.companies for layer in self.layers if layer.companies is not None]
        return frozenset.intersection(*limits) if limits else None

    @cached_property
    def max_result(self) -> int:
        """Characters of an answer at most; 0 when no layer says."""
        return min((layer.max_result for layer in self.layers if layer.max_result), default=0)

    @cached_property
    def capture(self) -> bool:
        """Whether arguments and results go into the audit log."""
        return any(layer.capture for layer in self.layers)

    @cached_property
    def lockdown(self) -> bool:
        """Whether text by outsiders is hidden."""
        return any(layer.lockdown for layer in self.layers)

    @cached_property
    def has_rules(self) -> bool:
        """Whether any layer has rules for models."""
        return any(layer.rules for layer in self.layers)

    def check_address(self, address: str) -> None:
        """:raises PolicyDenied: naming the layer that is not open to requests from this address"""
        for layer in self.layers:
            if not layer.addresses.admits(address):
                shown = address or "an unknown address"
                raise PolicyDenied(f"{layer.kind}:address", f"{layer.subject} is not open to {shown}.")

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
        return self._refusal_of_field(model, field, operation) is None

    def check_field(self, model: str, field: str, operation: str = "read") -> None:
        """:raises PolicyDenied: naming the guardrail or layer that closes the field for this operation"""
        if refusal := self._refusal_of_field(model, field, operation):
            rule, reason = refusal
            raise PolicyDenied(rule, f"{model}.{field} {reason}", model=model, field=field)

    def allows_name(self, model: str) -> bool:
        """Say whether records of the model may be shown by name where others link to them."""
        return self.allows_model(model) and self.allows_field(model, "display_name")

    def limits_fields(self, model: str) -> bool:
        """Say whether a layer closes some fields of the model."""
        return bool(self._field_rules(model))

    def check_method(self, model: str, method: str) -> None:
        """:raises PolicyDenied: naming the guardrail or layer that closes a method, or calls on its model"""
        self.check_model(model, "call")
        if guardrails.method_is_uncallable(method):
            raise PolicyDenied("guardrail:method", f"{method} is never open to assistants.", model=model)
        self.check_listed_method(model, {method})

    def check_listed_method(self, model: str, names: set[str]) -> None:
        """:raises PolicyDenied: a layer lists the methods of the model that are open, and none of `names` is one"""
        for layer in self.layers:
            rule = layer.rules.of(model)
            if rule is not None and all(map(rule.closes_method, names)):
                message = f"{min(names)} is not open to this token: {layer.subject} does not list it for {model}."
                raise PolicyDenied(f"{layer.kind}:method", message, model=model)

    def readable_fields(self, model: str, fields: Iterable[str]) -> list[str]:
        """Return those of `fields` that may be read, in their order."""
        return [name for name in fields if self.allows_field(model, name)]

    def domains(self, model: str) -> tuple[str, ...]:
        """Return the conditions, as text, that records of the model must all meet."""
        rules = (layer.rules.of(model) for layer in self.layers)
        return tuple(dict.fromkeys(rule.domain for rule in rules if rule is not None and rule.domain))

    @property
    def limited_models(self) -> frozenset[str]:
        """The models whose records a layer puts a condition on."""
        names = {rule.pattern for layer in self.layers for rule in layer.rules.rules if rule.domain}
        return frozenset(name for name in names if self.domains(name))

    def _refusal_of_model(self, model: str, operation: str) -> tuple[str, str] | None:
        """Return the rule that closes an operation on a model and why, None for none; kept, as each field asks."""
        key = model, operation
        if key in self._refusals:
            return self._refusals[key]
        found = self._look_up_refusal(model, operation)
        if len(self._refusals) < _MOST_KEPT:
            self._refusals[key] = found
        return found

    def _look_up_refusal(self, model: str, operation: str) -> tuple[str, str] | None:
        if guardrails.model_is_unreachable(model):
            return "guardrail:model", f"{model} is never open to assistants."
        if operation != "read" and guardrails.model_is_read_only(model):
            return "guardrail:model", f"{model} can be read but never changed by assistants; use Odoo's own screens."
        if refusal := self.tiers.refusal(model, operation):
            return refusal
        for layer in self.layers:
            if reason := layer.refusal_of_operation(model, operation):
                return f"{layer.kind}:{operation}", f"To {operation} {model} is not open to this token: {reason}."
        return None

    def _refusal_of_field(self, model: str, field: str, operation: str) -> tuple[str, str] | None:
        if guardrails.field_is_secret(field):
            return "guardrail:field", "holds a credential and is never open to assistants."
        if operation != "read" and guardrails.field_is_unwritable(field):
            return "guardrail:field", "is kept by Odoo and cannot be written."
        for layer, rule in self._field_rules(model):
            if rule.closes_field(field):
                return f"{layer.kind}:field", f"is closed by {layer.subject}."
        return None

    def _field_rules(self, model: str) -> tuple[tuple[Layer, ModelRule], ...]:
        """Return the rules that limit the fields of a model, with their layers; kept, as each field asks."""
        found = self._limited.get(model)
        if found is None:
            rules = ((layer, layer.rules.of(model)) for layer in self.layers if layer.rules)
            found = tuple((layer, rule) for layer, rule in rules if rule is not None and rule.fields_mode != "all")
            if len(self._limited) < _MOST_KEPT:
                self._limited[model] = found
        return found
