"""Questions as the requests that a client understands, and its answers read back.

What a client can be asked follows from its revision and the capabilities it declares (specification,
client/elicitation and basic/patterns/mrtr). How the requests travel is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from . import form_answers
from .errors import InvalidParams
from .questions import AnyQuestion, Question, Roots, Sampling
from .versions import Version

Json = dict[str, object]

YES: Json = {"action": "accept", "content": {"confirm": True}}
_REFUSALS = ("decline", "cancel")
MOST_RESPONSES = 50


@dataclass(frozen=True)
class Abilities:
    """What one client can be asked for."""

    forms: bool = False
    rich_forms: bool = False
    urls: bool = False
    sampling: bool = False
    roots: bool = False

    @classmethod
    def of(cls, version: Version, capabilities: Mapping[str, object]) -> Abilities:
        """Read a client's capabilities; those of its request in the modern era, of its session before."""
        declared = capabilities.get("elicitation")
        modes = declared if isinstance(declared, dict) else None
        forms = version.forms and modes is not None and ("form" in modes or "url" not in modes)
        return cls(
            forms=forms,
            rich_forms=forms and version.rich_forms,
            urls=version.rich_forms and modes is not None and "url" in modes,
            sampling=isinstance(capabilities.get("sampling"), dict),
            roots=isinstance(capabilities.get("roots"), dict),
        )

    def covers(self, question: AnyQuestion) -> bool:
        """Say whether this client can be asked this question, in a form of its own."""
        match question:
            case Sampling():
                return self.sampling
            case Roots():
                return self.roots
        return self.forms and (self.rich_forms or not _needs_rich_form(question.schema))


def request(question: AnyQuestion, abilities: Abilities, version: Version) -> Json:
    """Return a question as the request (`method` and `params`) that asks it."""
    if isinstance(question, Roots):
        return {"method": question.method, "params": {}} if version.modern else {"method": question.method}
    if isinstance(question, Sampling):
        return {"method": question.method, "params": dict(question.params)}
    schema = question.schema if abilities.rich_forms else plain_form(question.schema)
    # Before there was another mode it had no name.
    mode = {"mode": "form"} if version.rich_forms else {}
    return {"method": question.method, "params": {**mode, "message": question.message, "requestedSchema": schema}}


def page_request(message: str, url: str, version: Version, elicitation_id: str) -> Json:
    """Return the request to open a page of ours, where the person answers."""
    params = {"mode": "url", "message": message, "url": url}
    if not version.modern:
        params["elicitationId"] = elicitation_id
    return {"method": Question.method, "params": params}


def required_capabilities(questions: Mapping[str, AnyQuestion]) -> Json:
    """Return, shaped as client capabilities, what a client must declare to be asked these."""
    names = {"sampling/createMessage": "sampling", "roots/list": "roots", "elicitation/create": "elicitation"}
    return {names[question.method]: {} for question in questions.values()}


def plain_form(schema: Mapping[str, object]) -> Json:
    """Return a form as 2025-06-18 knows it: titles of choices beside them, defaults for booleans only."""
    return {**schema, "properties": {name: _plain_field(each) for name, each in schema["properties"].items()}}


def responses(given: object) -> dict[str, object]:
    """Return the answers that a client sends along, by key. :raises InvalidParams: not an object, or far too many"""
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise InvalidParams('"inputResponses" must be an object, with an answer for each key of inputRequests.')
    if len(given) > MOST_RESPONSES:
        raise InvalidParams(f'"inputResponses" has more than {MOST_RESPONSES} answers.')
    return given


def refused(response: object) -> bool:
    """Say whether the person has declined, or closed the question without an answer."""
    return isinstance(response, dict) and response.get("action") in _REFUSALS


def accepted(question: AnyQuestion, response: object) -> dict[str, object] | None:
    """Return what was answered, None for what is no answer to this question: then it is asked again."""
    if not isinstance(response, dict):
        return None
    match question:
        case Sampling():
            fits = isinstance(response.get("content"), (dict, list)) and isinstance(response.get("role"), str)
            return response if fits else None
        case Roots():
            return response if isinstance(response.get("roots"), list) else None
    if response.get("action") != "accept":
        return None
    return form_answers.checked(question.schema, response.get("content"))


def is_yes(response: object) -> bool:
    """Say whether a question for consent was answered with yes."""
    content = response.get("content") if isinstance(response, dict) and response.get("action") == "accept" else None
    return isinstance(content, dict) and content.get("confirm") is True


def is_no(response: object) -> bool:
    """Say whether a person has refused: declined the question, or answered it with no."""
    content = response.get("content") if isinstance(response, dict) else None
    return refused(response) or content == {"confirm": False}


def _needs_rich_form(schema: Mapping[str, object]) -> bool:
    return any(each.get("type") == "array" for each in schema["properties"].values())


def _plain_field(field: Mapping[str, object]) -> Json:
    plain = dict(field)
    if field.get("type") != "boolean":
        plain.pop("default", None)
    if "oneOf" in plain:
        options = plain.pop("oneOf")
        plain["enum"] = [option["const"] for option in options]
        plain["enumNames"] = [str(option.get("title", option["const"])) for option in options]
    return plain
