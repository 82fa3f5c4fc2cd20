"""How each MCP client is connected. The Connect page, the dialog that shows a new token and the README say this."""

from __future__ import annotations

from . import assistants, editors, programs
from .guide import Guide

# In the order in which they are shown.
GUIDES: tuple[Guide, ...] = (
    assistants.CLAUDE,
    assistants.CHATGPT,
    assistants.CLAUDE_DESKTOP,
    assistants.GROK,
    assistants.BRIDGE,
    assistants.CLAUDE_CODE,
    assistants.CODEX,
    assistants.GEMINI_CLI,
    editors.CURSOR,
    editors.VSCODE,
    editors.WINDSURF,
    editors.CONTINUE,
    programs.N8N,
    programs.LANGCHAIN,
    programs.AI_SDK,
    programs.INSPECTOR,
    programs.OTHER,
)
BY_KEY = {guide.key: guide for guide in GUIDES}
