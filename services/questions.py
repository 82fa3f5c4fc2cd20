"""A question to the human, independent of the way it will be asked (MRTR, elicitation, two steps)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """What a tool must know before it acts.

    :param message: one or two sentences a person can decide on
    :param schema: flat elicitation schema (string, number, integer, boolean, enum properties only)
    :param preview: what would happen, as plain JSON, shown with the question
    """

    message: str
    schema: Mapping[str, object] = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {"confirm": {"type": "boolean", "description": "True to go ahead."}},
            "required": ["confirm"],
        }
    )
    preview: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_consent(self) -> bool:
        """Whether it asks for nothing but a yes or a no."""
        return set(self.schema.get("properties", ())) == {"confirm"}
