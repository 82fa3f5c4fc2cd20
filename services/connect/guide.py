"""How an MCP client is connected: the form of a guide, and filling it in with an address and a token.

What there is to say of each client is in the files beside this one. Nothing here reads a setting: who may make tokens
and whether logins are open is the caller's business.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
import shlex
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

from ..http_gate import is_loopback_host
from ..public_address import is_public
from ..secret_tokens import PERSONAL_PREFIX

# What the texts of a guide hold in place of the address and the token.
URL = "{{url}}"
TOKEN = "{{token}}"
BEARER = f"Bearer {TOKEN}"
# Shown while there is no token.
PLACEHOLDER = f"{PERSONAL_PREFIX}…"

Language = Literal["text", "shell", "json", "toml", "yaml", "python", "javascript"]
Reach = Literal["public", "insecure", "private", "local"]

_BARE_WORD = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
# Within double quotes these mean something to a shell of Linux, macOS or Windows.
_QUOTE_BREAKER = re.compile(r'["$`\\!]')
_PRIVATE_SUFFIXES = (".local", ".internal", ".intranet", ".lan", ".home", ".corp", ".home.arpa", ".test")


@dataclass(frozen=True)
class Snippet:
    """Something to copy; `where` says what it is or which file it belongs in.

    `content` is commands as tuples of words (shell), what `json.dumps` takes (json), or text. In program code the
    placeholders stand within double quotes.
    """

    language: Language
    where: str
    content: tuple[tuple[str, ...], ...] | dict | str


@dataclass(frozen=True)
class Link:
    """A link that opens the client and has it add this server; `config` is what it is told."""

    scheme: Literal["cursor", "vscode"]
    label: str
    config: dict


@dataclass(frozen=True)
class Way:
    """One way to connect a client.

    In `steps`, `*…*` is what is read on the screen and a pair of backticks what is typed.

    :param is_cloud: the vendor's servers connect, not the user's computer
    """

    steps: tuple[str, ...]
    snippets: tuple[Snippet, ...] = ()
    link: Link | None = None
    is_cloud: bool = False


@dataclass(frozen=True)
class Guide:
    """How to connect one client: by login (OAuth), by token (a header), or either."""

    key: str
    name: str
    kind: Literal["assistant", "editor", "terminal", "program"]
    summary: str
    login: Way | None = None
    token: Way | None = None

    @property
    def ways(self) -> dict[str, Way]:
        """Return the ways there are, the better one first."""
        return {name: way for name, way in (("login", self.login), ("token", self.token)) if way}


def text_of(snippet: Snippet, url: str, token: str = PLACEHOLDER) -> str:
    """Return what the user copies: `snippet` with the address and the token in it, quoted as its language wants."""
    if isinstance(snippet.content, dict):
        return json.dumps(_filled(snippet.content, url, token), indent=2, ensure_ascii=False)
    if isinstance(snippet.content, tuple):
        return "\n".join(" ".join(_word(_replaced(word, url, token)) for word in line) for line in snippet.content)
    if snippet.language == "text":
        return _replaced(snippet.content, url, token)
    # A JSON string is also one of Python, JavaScript, TOML and YAML.
    inside = (json.dumps(value, ensure_ascii=False)[1:-1] for value in (url, token))
    return _replaced(snippet.content, *inside)


def href_of(link: Link, url: str) -> str:
    """Return the address of a link. It never carries a token: other programs see it on its way."""
    config = json.dumps(_filled(link.config, url, PLACEHOLDER), separators=(",", ":"))
    if link.scheme == "vscode":
        return f"vscode:mcp/install?{quote(config, safe='')}"
    encoded = quote(base64.b64encode(config.encode()).decode(), safe="")
    return f"cursor://anysphere.cursor-deeplink/mcp/install?name=odoo&config={encoded}"


def reach_of(url: str) -> Reach:
    """Say from where clients can use an address, as far as its text tells; names are not resolved.

    `local`: from this machine alone. `private`: from one network. `insecure`: from anywhere, but not encrypted.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if is_loopback_host(host):
        return "local"
    try:
        is_private = not is_public(ipaddress.ip_address(host))
    except ValueError:
        is_private = "." not in host or host.endswith(_PRIVATE_SUFFIXES)
    if is_private:
        return "private"
    return "public" if parts.scheme == "https" else "insecure"


def _filled(value, url: str, token: str):
    if isinstance(value, dict):
        return {key: _filled(item, url, token) for key, item in value.items()}
    if isinstance(value, list):
        filled = [_filled(item, url, token) for item in value]
        # mcp-remote refuses http to another machine unless told to.
        is_bridge = "mcp-remote" in value and url.startswith("http://") and reach_of(url) != "local"
        return [*filled, "--allow-http"] if is_bridge else filled
    return _replaced(value, url, token) if isinstance(value, str) else value


def _replaced(text: str, url: str, token: str) -> str:
    # The token first: an address may hold any text, a token may not.
    return text.replace(TOKEN, token).replace(URL, url)


def _word(word: str) -> str:
    """Quote a word so that the shells of Linux, macOS and, where its letters allow that, Windows read it alike."""
    if _BARE_WORD.fullmatch(word):
        return word
    return shlex.quote(word) if _QUOTE_BREAKER.search(word) else f'"{word}"'
