"""What every tool that writes in a conversation does: ask before strangers are mailed, and say who was told."""

from collections.abc import Mapping, Sequence

from odoo.models import BaseModel

from ..services.questions import Question
from ..services.tool import ToolResult
from .call_chatter import Recipient

NOTE, MESSAGE, DONE = "mail.mt_note", "mail.mt_comment", "mail.mt_activities"


def ask(call, kind: str, told: Sequence[Recipient], files: int) -> None:
    """Let the human agree before somebody outside the company is written to.

    :param kind: `note` is for nobody outside
    :raises NeedsInput: there is no answer yet
    """
    outside = [each for each in told if each.external and each.by_email]
    if kind == "note" or not outside or call.policy.confirmation == "never":
        return
    names = ", ".join(f"{each.name} <{each.email}>" for each in outside[:10])
    more = f" and {len(outside) - 10} more" if len(outside) > 10 else ""
    with_files = f" with {files} file(s)" if files else ""
    people = "1 person" if len(outside) == 1 else f"{len(outside)} people"
    call.need(
        "confirm",
        Question(
            f"E-mail {people} outside the company{with_files}: {names}{more}?",
            preview={"recipients": [each.as_dict() for each in outside[:50]]},
        ),
    )


def posted(record: BaseModel, what: str, told: Sequence[Recipient], facts: Mapping[str, object]) -> ToolResult:
    """Return the result of a call that has posted, saying who gets an e-mail."""
    mailed = [each for each in told if each.by_email]
    structured = {
        "model": record._name,
        "id": record.id,
        **facts,
        "url": f"{record.get_base_url()}/odoo/{record._name}/{record.id}",
        "emailed": [each.as_dict() for each in mailed[:50]],
        "emailed_count": len(mailed),
        "notified_in_odoo": len(told) - len(mailed),
    }
    names = ", ".join(f"{each.name} <{each.email}>" for each in mailed[:10])
    sentence = f"E-mailed: {names}{' and more' if len(mailed) > 10 else ''}." if mailed else "Nobody is e-mailed."
    return ToolResult(structured, text=f"{what} on {record._name} {record.id}. {sentence}")
