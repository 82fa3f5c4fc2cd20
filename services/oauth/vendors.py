"""Whose address a redirect URI is, and which names ought to come with such an address.

A name proves nothing: anyone may register as "Claude". An address does, within limits: what arrives there, its owner
has. So the owner is told from the address, and a name that looks like an owner's at another's address is warned of.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from . import redirect_uri


@dataclass(frozen=True)
class Vendor:
    """Somebody whose applications people know by name.

    `hosts` answer for the vendor alone. What arrives at `shared` ones may be for another customer of the vendor's, so
    they fit the name without vouching for anything. `schemes` open the vendor's application on the device.
    """

    name: str
    words: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ()


VENDORS = (
    Vendor("Anthropic (Claude)", ("claude", "anthropic"), ("claude.ai", "claude.com"), schemes=("claude",)),
    Vendor("OpenAI (ChatGPT)", ("chatgpt", "openai", "codex"), ("chatgpt.com",), schemes=("codex",)),
    Vendor("Cursor", ("cursor", "anysphere"), ("www.cursor.com", "cursor.com"), schemes=("cursor",)),
    Vendor(
        "Visual Studio Code",
        ("vscode", "visualstudio", "copilot", "microsoft", "github"),
        shared=("vscode.dev", "insiders.vscode.dev", "consent.azure-apim.net", "github.com"),
        schemes=("vscode", "vscode-insiders"),
    ),
    Vendor(
        "Google (Gemini)",
        ("gemini", "google", "antigravity"),
        ("antigravity.google",),
        ("oauth-redirect.googleusercontent.com", "vertexaisearch.cloud.google.com"),
    ),
    Vendor("xAI (Grok)", ("grok",), ("grok.com", "console.x.ai")),
    Vendor("Perplexity", ("perplexity",), ("www.perplexity.ai", "enterprise.perplexity.ai")),
    Vendor("Mistral (Le Chat)", ("mistral", "lechat"), ("callback.mistral.ai",)),
    Vendor("Devin", ("devin",), ("api.devin.ai",)),
    Vendor("Windsurf", ("windsurf", "codeium"), schemes=("windsurf",)),
    Vendor("Zed", ("zededitor",), schemes=("zed",)),
)

# Letters of other scripts, and digits, that pass for Latin ones. NFKD takes care of accents and fancy forms.
_LOOKALIKES = str.maketrans(
    {
        **dict(zip("аеорсухіјѕԁӏһԛԝвкмнтгпь", "aeopcyxijsdlhqwbkmhtrnb", strict=True)),
        **dict(zip("αβεικνορτυχωη", "abeiknoptuxwn", strict=True)),
        **dict(zip("0134578ıɑɡ", "oieastbiag", strict=True)),
    }
)


def owner(uri: str) -> str | None:
    """Return who alone receives what is sent to this address, None when that cannot be told from it.

    A scheme of an application says nothing: any program on the device may claim it.
    """
    if redirect_uri.kind(uri) != "https":
        return None
    host = redirect_uri.host(uri).lower()
    return next((vendor.name for vendor in VENDORS if host in vendor.hosts), None)


def impersonated(name: str, uri: str) -> str | None:
    """Return the vendor that a client's name makes one think of although the address is not that vendor's.

    An address on this computer fits any name; the page warns of it in its own words.
    """
    if redirect_uri.kind(uri) == "loopback":
        return None
    seen = _skeleton(name)
    resembled = [vendor for vendor in VENDORS if any(_skeleton(word) in seen for word in vendor.words)]
    if any(_fits(vendor, uri) for vendor in resembled):
        return None
    return resembled[0].name if resembled else None


def _fits(vendor: Vendor, uri: str) -> bool:
    if redirect_uri.kind(uri) == "private":
        return uri.partition(":")[0] in vendor.schemes
    host = redirect_uri.host(uri).lower()
    return host in vendor.hosts or any(f".{host}".endswith(f".{known}") for known in vendor.shared)


def _skeleton(text: str) -> str:
    """Return the text as it looks: small Latin letters, without accents, spaces and marks."""
    plain = unicodedata.normalize("NFKD", text).casefold().translate(_LOOKALIKES)
    # "rn" for "m" and "vv" for "w" would turn real words into other ones; l and 1 both read as i.
    return "".join(letter for letter in plain if letter.isalpha()).replace("l", "i")
