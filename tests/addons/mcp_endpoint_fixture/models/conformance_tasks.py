"""Test tools of the conformance suite that run as tasks."""

import time

from odoo.addons.mcp_endpoint.services.errors import InternalError, ToolError

from .conformance_definition import TestTool, schema, told
from .conformance_questions import ask_name, form

STEP = 0.1


def work(call, seconds):
    """Take time, and hear of it when nobody wants the result any more."""
    for done in range(int(seconds / STEP)):
        call.progress(done, seconds / STEP)
        time.sleep(STEP)


def _greet(call):
    return told(f"Hello, {call.arguments['name']}!")


def _compute(call):
    work(call, call.arguments["seconds"])
    return told(f"Computed {call.arguments['label']}.")


def _fail(call):
    work(call, 1)
    raise ToolError("intended", "This job fails, as it should.")


def _fail_outside(call):
    raise InternalError("This job fails in a way that is no result.")


def _delete(call):
    name = call.arguments["filename"]
    call.need("confirm", form(f"Delete {name}?", {"confirm": {"type": "boolean"}}, ["confirm"]))
    return told(f"Deleted {name}.")


def _two_questions(call):
    name = ask_name()
    # The suite has the same answer for both.
    nickname = form("And what do your friends call you?", {"name": {"type": "string"}}, ["name"])
    return told(f"{call.need_all({'name': name, 'nickname': nickname})}")


def _ask_then_work(call):
    name = call.need("user_name", ask_name())["name"]
    call.become_task(required=True)
    work(call, 0.5)
    return told(f"Worked for {name}.")


TOOLS = {
    "greet": TestTool(_greet, schema(name="string")),
    "slow_compute": TestTool(_compute, schema(seconds="number", label="string"), task="optional"),
    "failing_job": TestTool(_fail, task="required"),
    "protocol_error_job": TestTool(_fail_outside, task="optional"),
    "confirm_delete": TestTool(_delete, schema(filename="string"), task="optional"),
    "multi_input": TestTool(_two_questions, task="optional"),
    "test_tool_with_task": TestTool(_ask_then_work),
}
