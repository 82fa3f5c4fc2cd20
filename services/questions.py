"""Questions to the human, independent of the way they will be asked (MRTR, a request on the stream, a page, two steps).

Most are a `Question`. `Sampling` and `Roots` ask the client itself; both are deprecated, and for addons only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Question:
    """What a tool must know before it acts.

    :param message: one or two sentences a person can decide on
    :param schema: flat elicitation schema (string, number, integer, boolean, enum properties only)
    :param preview: what would happen, as plain JSON, shown with the question
    :param sealed: only an answer counts that comes with the state of a question that was really asked; always so for
        those that ask for consent
    """

    method: ClassVar[str] = "elicitation/create"

    message: str
    schema: Mapping[str, object] = field(
        default_factory=lambda: {
            "type": "object",
            "properties": {"confirm": {"type": "boolean", "description": "True to go ahead."}},
            "required": ["confirm"],
        }
    )
    preview: Mapping[str, object] = field(default_factory=dict)
    sealed: bool = False

    @property
    def is_consent(self) -> bool:
        """Whether it asks for nothing but a yes or a no."""
        return set(self.schema.get("properties", ())) == {"confirm"}


@dataclass(frozen=True)
class Sampling:
    """Have the client's own model write something.

    :param params: of `sampling/createMessage`; the answer is its result: `role`, `content`, `model`
    """

    method: ClassVar[str] = "sampling/createMessage"
    is_consent: ClassVar[bool] = False

    params: Mapping[str, object]
    sealed: bool = False
    message: str = "This needs the client's own model."


@dataclass(frozen=True)
class Roots:
    """Ask which folders the client works in; the answer is `{"roots": [{"uri", "name"}]}`."""

    method: ClassVar[str] = "roots/list"
    is_consent: ClassVar[bool] = False

    sealed: bool = False
    message: str = "This needs to know the client's folders."


AnyQuestion = Question | Sampling | Roots
