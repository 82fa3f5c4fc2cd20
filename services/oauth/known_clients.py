"""Facts about applications of well-known vendors: where they want users sent back, and what their metadata says.

Data, not rules: it drifts with the vendors (checked in autumn 2026). A snapshot stands in for a document that cannot
be fetched, for vendors keep cloud networks out; it holds nothing but addresses that are the vendor's own, or this
computer's, so an old one does no harm beyond not working.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from . import redirect_uri

# `*` stands for the rest of a path, for addresses that differ by user.
REDIRECT_URIS = (
    "https://claude.ai/api/mcp/auth_callback",
    "https://claude.com/api/mcp/auth_callback",
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "https://chatgpt.com/connector/oauth/*",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "cursor://anysphere.cursor-retrieval/oauth/*",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "https://vscode.dev/redirect",
    "https://insiders.vscode.dev/redirect",
    "https://antigravity.google/oauth-callback",
    "https://oauth-redirect.googleusercontent.com/r/*",
    "https://vertexaisearch.cloud.google.com/oauth-redirect",
    "https://grok.com/connectors-oauth-exchange-code/",
    "https://console.x.ai/connectors-oauth-exchange-code/",
    "https://oauth.n8n.cloud/oauth2/callback",
    "https://www.perplexity.ai/rest/connections/oauth_callback",
    "https://enterprise.perplexity.ai/rest/connections/oauth_callback",
    "https://callback.mistral.ai/v1/integrations_auth/oauth2_callback",
    "https://api.devin.ai/mcp/oauth/callback",
)


def _snapshot(url: str, name: str, *redirect_uris: str) -> tuple[str, Mapping[str, object]]:
    return url, MappingProxyType(
        {
            "client_id": url,
            "client_name": name,
            "redirect_uris": list(redirect_uris),
            "token_endpoint_auth_method": "none",
        }
    )


SNAPSHOTS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    dict(
        (
            _snapshot(
                "https://claude.ai/oauth/mcp-oauth-client-metadata",
                "Claude",
                "https://claude.ai/api/mcp/auth_callback",
                "https://claude.com/api/mcp/auth_callback",
            ),
            _snapshot(
                "https://claude.ai/oauth/claude-code-client-metadata",
                "Claude Code",
                "http://localhost/callback",
                "http://127.0.0.1/callback",
            ),
            _snapshot(
                "https://vscode.dev/oauth/client-metadata.json",
                "Visual Studio Code",
                "http://127.0.0.1:33418/",
                "http://127.0.0.1/",
                "https://vscode.dev/redirect",
                "https://insiders.vscode.dev/redirect",
            ),
            _snapshot("https://zed.dev/oauth/client-metadata.json", "Zed", "http://127.0.0.1/callback"),
            _snapshot(
                "https://opencode.ai/oauth/opencode/client.json",
                "opencode",
                "http://127.0.0.1:19876/mcp/oauth/callback",
            ),
        )
    )
)
# Documents whose fetching shows that this server reaches the internet; one of them is enough.
SELF_TEST = (
    "https://vscode.dev/oauth/client-metadata.json",
    "https://claude.ai/oauth/claude-code-client-metadata",
)


def is_known(uri: str, more: Iterable[str] = ()) -> bool:
    """Say whether a redirect URI is a vendor's, this computer's, or among `more`, an administrator's own patterns."""
    if redirect_uri.kind(uri) == "loopback":
        return True
    return any(_matches(pattern, uri) for pattern in (*REDIRECT_URIS, *more))


def _matches(pattern: str, uri: str) -> bool:
    if not pattern.endswith("/*"):
        return uri == pattern
    # Below the path, not the path itself, and no way out of it.
    rest = uri.removeprefix(pattern[:-1]) if uri.startswith(pattern[:-1]) else ""
    return bool(re.fullmatch(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*", rest)) and ".." not in rest
