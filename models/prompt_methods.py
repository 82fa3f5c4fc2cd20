import time

from odoo import api, models

from ..services import downgrade
from ..services.errors import InvalidParams, NeedsInput, ToolError
from ..services.exchange import Exchange
from ..services.versions import Version
from .prompt_arguments import checked
from .prompt_text import rendered


class McpServer(models.AbstractModel):
    _inherit = "mcp.server"

    @api.model
    def _rpc_table(self, version: Version) -> dict[str, str]:
        return super()._rpc_table(version) | {"prompts/list": "_rpc_prompts_list", "prompts/get": "_rpc_prompts_get"}

    @api.model
    def _capabilities(self, version: Version) -> dict[str, dict]:
        return super()._capabilities(version) | {"prompts": {}}

    def _rpc_prompts_list(self, exchange: Exchange) -> dict:
        call = self._reading_call(exchange)
        return self._listed(exchange, "prompts", call.env["mcp.prompt"].get_prompts(call), "name")

    def _rpc_prompts_get(self, exchange: Exchange) -> dict:
        started = time.perf_counter()
        name, arguments = exchange.message.params.get("name"), exchange.message.params.get("arguments")
        if not isinstance(name, str) or not name:
            raise InvalidParams('prompts/get needs "name", the name of a prompt.')
        arguments = {} if arguments is None else arguments
        if not isinstance(arguments, dict):
            raise InvalidParams('"arguments" must be an object of strings.')
        call = self._reading_call(exchange)
        prompts = call.env["mcp.prompt"]
        try:
            result = self._read_through(call, lambda: prompts.get_prompt(call, name, arguments))
        except NeedsInput as needed:
            return self._asked_reading(call, name, started, needed)
        except ToolError as error:
            message = f"{error.message} {error.fix}" if error.fix else error.message
            raise InvalidParams(message, data=error.as_dict()) from error
        messages = [
            {**message, "content": downgrade.content_block(message["content"], exchange.version)}
            for message in result["messages"]
        ]
        size = sum(len(message["content"].get("text", "")) for message in messages)
        self._record_reading(call, name, started, size, messages)
        return {**result, "messages": messages}


class McpPrompt(models.Model):
    """Addons add prompts by overriding the public methods; those of this addon are records."""

    _inherit = "mcp.prompt"

    @api.private
    def get_prompts(self, call) -> list[dict]:
        """Return the `Prompt` objects of this caller, in a stable order."""
        if not self.env["mcp.resource"]._is_granted(call, "core"):
            return []
        return [prompt._definition() for prompt in self._available(call).values()]

    @api.private
    def get_prompt(self, call, name: str, arguments: dict) -> dict:
        """Return the `description` and `messages` of a prompt.

        :raises ToolError: there is no such prompt for this caller, or an argument is wrong
        """
        self.env["mcp.resource"]._check_granted(call, "core")
        prompt = self._named(call, name)
        text = prompt._text(call, arguments)
        self.env["mcp.token"]._note_taint(call)
        content = {"type": "text", "text": text}
        return {"description": prompt.description or prompt.title, "messages": [{"role": "user", "content": content}]}

    @api.model
    def _named(self, call, name: str):
        """Return one of the caller's prompts. :raises ToolError: `not_found`"""
        prompt = self._available(call, name).get(name)
        if prompt is None:
            raise ToolError("not_found", f"There is no prompt {name[:64]!r}.", fix="Look it up with odoo_find_skills.")
        return prompt

    def _text(self, call, arguments: dict) -> str:
        """Return the prompt's text with these arguments. :raises ToolError: an argument is wrong"""
        text = rendered(self.body, checked(call, self, arguments))
        return f"{text}\n\n{call.boundary.line}" if call.boundary.used else text

    def _definition(self) -> dict:
        """Return the MCP `Prompt`."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description or self.title,
            "arguments": [argument._definition() for argument in self.argument_ids],
        }
