"""The five protocol revisions and what differs between them on the wire.

Data only. Which revision a request speaks is decided in `services.protocol`; how a result is written down for an
older revision in `services.downgrade`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Version:
    """One MCP revision. The flags say what its schema allows (see the specification's changelogs)."""

    name: str
    modern: bool = False
    batches: bool = False
    tool_annotations: bool = True
    titles: bool = True
    structured_content: bool = True
    icons: bool = True
    audio: bool = True
    resource_links: bool = True
    forms: bool = True
    rich_forms: bool = True
    polling_close: bool = False


V2024_11_05 = Version(
    "2024-11-05",
    tool_annotations=False,
    titles=False,
    structured_content=False,
    icons=False,
    audio=False,
    resource_links=False,
    forms=False,
    rich_forms=False,
)
V2025_03_26 = Version(
    "2025-03-26",
    batches=True,
    titles=False,
    structured_content=False,
    icons=False,
    resource_links=False,
    forms=False,
    rich_forms=False,
)
V2025_06_18 = Version("2025-06-18", icons=False, rich_forms=False)
V2025_11_25 = Version("2025-11-25", polling_close=True)
V2026_07_28 = Version("2026-07-28", modern=True)

# Newest first: the order in which they are offered to clients.
VERSIONS: dict[str, Version] = {
    version.name: version for version in (V2026_07_28, V2025_11_25, V2025_06_18, V2025_03_26, V2024_11_05)
}
NEWEST_HANDSHAKE = V2025_11_25
# What a handshake request without session and version header is taken to speak (specification 2025-06-18).
ASSUMED_HANDSHAKE = V2025_03_26
