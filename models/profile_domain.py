"""Conditions that a profile puts on the records of a model, as administrators write them.

They are literals in the language of filters (`"me"`, `"my_company"`, `"this_month"`), checked by the same guard as the
filters of assistants; nothing in them is evaluated. What they mean depends on the user, the companies and the day.
"""

from odoo.api import Environment
from odoo.fields import Domain

from ..services.policy import CompiledPolicy
from ..services.tool import ToolSpec
from .call_environment import POLICY_KEY
from .tool_call import ToolCall

_READING = ToolSpec("profile/domain", "", "", access="read", toolset="core", schema={}, listed_schema={})


def parsed(env: Environment, model: str, text: str) -> Domain:
    """Return the domain of a profile's condition for the user of `env`.

    Only guardrails apply: the condition may name what the profile itself closes.

    :raises ToolError: saying what is wrong with it
    """
    context = {key: value for key, value in env.context.items() if key != POLICY_KEY}
    # sudo: the condition is an administrator's. What it reads decides which records are left, and is not shown.
    trusted = env(context={"tz": "UTC", **context}, su=True)
    call = ToolCall(trusted, None, _READING, CompiledPolicy(()), {}, answers={})
    return call.domain(model, text).domain
