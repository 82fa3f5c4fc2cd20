"""Test tools of the conformance suite that report while they run, or change what clients are told about."""

import time

from .conformance_definition import TestTool, told

PAUSE = 0.05


def _progress(call):
    for done in (0, 50, 100):
        call.progress(done, 100)
        # Longer than the least time between two reports, on any transport.
        time.sleep(0.3)
    return told("Done.")


def _log(call):
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        call.log("info", text, "fixture")
        time.sleep(PAUSE)
    return told("Logged.")


def _change_tools(call):
    """Another title for a tool: what every client has listed is stale."""
    tools = call.env["mcp.tool"]
    row = tools.search([("name", "=", "fixture_plain_echo")])
    title = f"Echo {time.time_ns()}"
    if row:
        row.title = title
    else:
        tools.create({"name": "fixture_plain_echo", "source": "code", "title": title})
    return told("The list of tools has changed.")


def _change_prompts(call):
    prompts = call.env["mcp.prompt"]
    row = prompts.search([("name", "=", "fixture_changing_prompt")])
    title = f"Changed {time.time_ns()}"
    if row:
        row.title = title
    else:
        prompts.create({"name": "fixture_changing_prompt", "title": title, "body": "Say hello."})
    return told("The list of prompts has changed.")


TOOLS = {
    "test_tool_with_progress": TestTool(_progress),
    "test_tool_with_logging": TestTool(_log),
    "test_logging_tool": TestTool(_log),
    "test_trigger_tool_change": TestTool(_change_tools, writes=True),
    "test_trigger_prompt_change": TestTool(_change_prompts, writes=True),
}
