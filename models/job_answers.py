"""Questions of a job and their answers, as they are kept with it."""

from collections.abc import Mapping, Sequence

from ..services.errors import NeedsInput
from ..services.input_requests import YES, is_yes
from ..services.questions import AnyQuestion, Question, Roots, Sampling

NO = {"action": "decline"}
# What people can be asked in Odoo, by the job's form or by their assistant.
ABILITIES = {"elicitation": {"form": {}, "url": {}}}

__all__ = ["ABILITIES", "NO", "YES", "again", "kept", "question_of", "scope", "without_yes"]


def kept(needed: NeedsInput, answered: Mapping[str, object], notes: Sequence[str]) -> list[dict[str, object]]:
    """Return the questions of a call as plain JSON.

    :param answered: earlier answers by key; what is asked again under such a key has another name on the wire, where
        none is used twice
    :param notes: sentences that each question ends with
    """
    asked = needed.requests or needed.questions
    return [
        {
            "key": key,
            "name": f"{key}_{len(answered) + 1}" if key in answered else key,
            "message": " ".join([question.message, *notes]),
            "request": needed.requests.get(key),
            **_content(question),
        }
        for key, question in needed.questions.items()
        if key in asked
    ]


def _content(question: AnyQuestion) -> dict[str, object]:
    if isinstance(question, Question):
        return {"schema": dict(question.schema), "preview": dict(question.preview)}
    return {"sampling": dict(question.params)} if isinstance(question, Sampling) else {"roots": True}


def question_of(facts: Mapping[str, object]) -> AnyQuestion:
    """Return a question that was kept."""
    if "sampling" in facts:
        return Sampling(facts["sampling"])
    if "roots" in facts:
        return Roots()
    return Question(facts["message"], schema=facts["schema"], preview=facts["preview"])


def again(name: str) -> Question:
    """Return the question whether a job is to run once more."""
    return Question(f"Run “{name}” again?")


def scope(count: int, shown: int) -> list[str]:
    """Return what a question about one part has to say of the others: an answer holds for all of them."""
    text = f"This is about the first {shown} of {count} items; the answer holds for all of them."
    return [text] if count > shown else []


def without_yes(answers: Mapping[str, object]) -> dict[str, object]:
    """Return the answers without those that agree to something."""
    return {key: each for key, each in answers.items() if not is_yes(each)}
