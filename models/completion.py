"""`completion/complete`: what may follow what a person has typed, never more than they may see.

Every value comes through the same `ToolCall` as a tool's answer; a model or record that is closed to the caller is
completed like one that does not exist: with nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.models import BaseModel

from ..services.errors import InvalidParams, ToolError
from ..services.exchange import Exchange
from ..services.uri import kind_of, parameters_of
from ..services.versions import V2024_11_05, Version
from .prompt_arguments import model_of

MAX_VALUES = 100
MAX_RECORDS = 20
# Of an administrator's own resources, those looked through.
MOST_CUSTOM = 1_000
LONGEST_VALUE = 200


@dataclass(frozen=True)
class CompletableArgument:
    """What completing an argument of a prompt needs to know of it."""

    name: str
    kind: str
    model_name: str | None
    choices: tuple[str, ...]


@dataclass(frozen=True)
class CompletablePrompt:
    """What completing needs to know of a prompt."""

    model_name: str | None
    arguments: Mapping[str, CompletableArgument]


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        return super()._rpc_table(version) | {"completion/complete": "_rpc_completion_complete"}

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        own = {} if version == V2024_11_05 else {"completions": {}}
        return super()._capabilities(version) | own

    def _rpc_completion_complete(self, exchange: Exchange) -> dict:
        reference, name, value, others = _checked(exchange.message.params)
        call = self._reading_call(exchange)
        if reference["type"] == "ref/prompt":
            source: Callable = call.env["mcp.prompt"].complete_argument
        else:
            source = call.env["mcp.resource"].complete_argument
        target = reference["name" if reference["type"] == "ref/prompt" else "uri"]
        try:
            values = self._read_through(call, lambda: source(call, target, name, value, others))
        except ToolError as error:
            if error.code == "unknown_reference":
                raise InvalidParams(f"{error.message} {error.fix}") from error
            # Closed or unknown, which a completion does not tell apart.
            values = []
        unique = list(dict.fromkeys(values))
        shown = unique[:MAX_VALUES]
        return {"completion": {"values": shown, "total": len(unique), "hasMore": len(unique) > len(shown)}}


class McpPrompt(models.Model):
    _inherit = "mcp.prompt"

    @api.private
    def complete_argument(self, call, name: str, argument: str, value: str, others: dict[str, str]) -> list[str]:
        """Return values for an argument of a prompt, the likeliest first.

        :param others: values of the other arguments, as far as they are known
        :raises ToolError: `unknown_reference`, when there is no such prompt or argument
        """
        granted = self.env["mcp.resource"]._is_granted(call, "core")
        prompt = self._completable().get(name) if granted else None
        if prompt is None or not (prompt.model_name is None or call.allows_model(prompt.model_name)):
            # Prompts of other addons, too, are only known by being listed.
            names = [item["name"] for item in self.get_prompts(call)]
            if name in names:
                return []
            raise _unknown(f"There is no prompt {name[:64]!r}.", "See prompts/list.")
        found = prompt.arguments.get(argument)
        if found is None:
            raise _unknown(f"{name} has no argument {argument[:64]!r}.", "See prompts/list.")
        match found.kind:
            case "model":
                return _models(call, value)
            case "field":
                return _fields(call, model_of(call, found, others), value)
            case "record":
                records = _records(call, model_of(call, found, others), value, fetch=["display_name"])
                rows = call.read(records, ["display_name"])
                return [f"{row['display_name']} [{row['id']}]" for row in rows]
            case "selection":
                return _starting(found.choices, value)
            case "date":
                return _starting(_dates(call), value)
        return []

    @api.model
    @tools.ormcache("self.env.uid")
    def _completable(self) -> dict[str, CompletablePrompt]:
        """Return the prompts that this user has, by name, whatever the policy says of the models they are about.

        Odoo clears this cache when groups and rules change, prompts when they do.
        """
        prompts = self.search(Domain("user_id", "in", (False, self.env.uid)))
        # A user's own hide those for all.
        return {
            prompt.name: CompletablePrompt(prompt.model_name or None, _completable_arguments(prompt))
            for prompt in prompts.sorted(lambda prompt: bool(prompt.user_id))
        }


class McpResource(models.Model):
    _inherit = "mcp.resource"

    @api.private
    def complete_argument(self, call, uri: str, argument: str, value: str, others: dict[str, str]) -> list[str]:
        """Return values for a variable of a URI template; parameters and errors as for prompts."""
        template = self._templates().get(kind_of(uri))
        if template is None or not self._is_granted(call, template.toolset, template.tool):
            if uri in [item["uriTemplate"] for item in self.get_resource_templates(call)]:
                return []
            raise _unknown(f"There is no resource template {uri[:100]!r}.", "See resources/templates/list.")
        if argument not in template.parameters and argument not in parameters_of(uri):
            raise _unknown(f"{template.uri} has no variable {argument[:64]!r}.", "See resources/templates/list.")
        if argument == "model" or (template.kind == "model" and argument == "name"):
            return _models(call, value)
        if argument == "report":
            return _starting(self._reports(call), value)
        if argument == "id" and template.kind != "attachment":
            model = others.get("model") or self._reports(call).get(others.get("report", ""), "")
            return [str(record) for record in _records(call, model, value).ids]
        return self._complete_name(call, template.kind, value)

    @api.model
    def _complete_name(self, call, kind: str, value: str) -> list[str]:
        """Return names for the variable of a kind of resource that is named by something else than model and id."""
        match kind:
            case "custom":
                return _starting(self.search([], limit=MOST_CUSTOM).mapped("slug"), value)
            case "prompt":
                return _starting(self.env["mcp.prompt"]._available(call), value)
            case "module":
                modules = self.env["mcp.tool.registry"]._installed_modules()
                return _starting(sorted(name for name, _label, _is_app in modules), value)
        return []


def _completable_arguments(prompt) -> dict[str, CompletableArgument]:
    # sudo: the arguments of a prompt that this user has.
    arguments = prompt.sudo().argument_ids
    return {
        each.name: CompletableArgument(each.name, each.kind, each.model_name or None, tuple(each._choices()))
        for each in arguments
    }


def _checked(params) -> tuple[dict, str, str, dict[str, str]]:
    """Return reference, argument name, value and other arguments. :raises InvalidParams: naming what is wrong"""
    reference, argument = params.get("ref"), params.get("argument")
    if not isinstance(reference, dict) or not isinstance(argument, dict):
        raise InvalidParams('completion/complete needs "ref" and "argument", both objects.')
    member = {"ref/prompt": "name", "ref/resource": "uri"}.get(str(reference.get("type")))
    if member is None or not isinstance(reference.get(member), str):
        raise InvalidParams('"ref" is {"type": "ref/prompt", "name": …} or {"type": "ref/resource", "uri": …}.')
    name, value = argument.get("name"), argument.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        raise InvalidParams('"argument" needs "name" and "value", both strings.')
    context = params.get("context")
    others = context.get("arguments") if isinstance(context, dict) else None
    others = others if isinstance(others, dict) else {}
    return reference, name, value.strip()[:LONGEST_VALUE], {key: v for key, v in others.items() if isinstance(v, str)}


def _models(call, value: str) -> list[str]:
    """Return models by the beginning of their technical name, then by label, everyday word or old name."""
    found = call.env["mcp.tool.registry"]._open_models(call, value)
    named = [item["model"] for item in found[:MAX_VALUES]]
    if not value:
        return named
    begun = call.env["mcp.tool.registry"]._models_begun(call, value.lower())
    return [*islice(filter(call.allows_model, begun), MAX_VALUES), *named]


def _fields(call, model: str, value: str) -> list[str]:
    wanted = value.lower()
    labels = call.describe_fields(model, list(call.fields(model)), ["string"])
    begun = sorted(name for name in labels if name.startswith(wanted))
    return [*begun, *sorted(name for name, facts in labels.items() if wanted in facts["string"].lower())]


def _records(call, model: str, value: str, fetch: Sequence[str] = ()) -> BaseModel:
    """Return records that the caller sees, by words of the name or by id.

    :param fetch: what will be read of them
    :raises ToolError: the model is closed or does not exist
    """
    if not call.allows_model(model):
        raise ToolError("not_found", f"{model[:64]} has no records to complete.")
    domain = call.domain(model, name=value) if value else call.domain(model)
    found = call.search(domain, limit=MAX_RECORDS, fetch=fetch)
    if value.isascii() and value.isdigit() and len(value) < 10:
        found = call.search(call.domain(model, ids=[int(value)]), limit=1, fetch=fetch) | found
    call.touch(model, found.ids)
    return found


def _dates(call) -> list[str]:
    today = fields.Date.context_today(call.env.user)
    month = today.replace(day=1)
    days = (today, today - timedelta(days=1), month, month - timedelta(days=1), today.replace(month=1, day=1))
    return ["today", "yesterday", "tomorrow", *(day.isoformat() for day in days)]


def _starting(values: Iterable[str], value: str) -> list[str]:
    """Return the values that begin with what was typed, then those that contain it."""
    wanted = value.casefold()
    values = list(values)
    begun = [each for each in values if each.casefold().startswith(wanted)]
    return [*begun, *(each for each in values if wanted in each.casefold())]


def _unknown(message: str, fix: str) -> ToolError:
    return ToolError("unknown_reference", message, fix=fix)
