"""What a step of the authorization flow ends in: a page of ours, or another address. HTTP and QWeb make it so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Page:
    """A template of the addon (`oauth_<name>`) and what it shows."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True)
class Elsewhere:
    """An address to send the browser to: a local path, or the client's redirect URI with an answer."""

    url: str
