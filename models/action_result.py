"""What running an action on records answers: the records as they are now, what was made, sent and opened."""

from collections.abc import Mapping

from odoo.models import BaseModel

from ..services.tool import ToolResult
from .action_effects import EffectWatch
from .action_run import ActionRun
from .form_actions import Choice
from .write_results import written


def run_choice(
    call,
    records: BaseModel,
    choice: Choice,
    answers: Mapping | None = None,
    *,
    context: Mapping[str, object] | None = None,
) -> ToolResult:
    """Run a button or an action on checked records, with journal.

    :param answers: for the wizard that it may open; None asks for them
    :param context: keys of ours that the action's code may read
    :raises KeepsNothing: a wizard needs answers
    """
    watch = EffectWatch(call, records)
    run = ActionRun(call, records, answers, context or {})
    with call.journal.changing(records, []):
        outcome = run.run(choice)
        # Tracked changes become messages only now, as they do at the end of a dry run.
        call.env.cr.flush()
    remaining = records.exists()
    facts = {"status": "done", "action": choice.label, **outcome.as_dict()}
    if created := watch.created(outcome.records):
        facts["created"] = created
    if len(remaining) != len(records):
        facts["deleted_ids"] = sorted(set(records.ids) - set(remaining.ids))
    if not call.rehearsing and (sent := watch.sent()):
        facts["side_effects"] = sent
    result = written(call, remaining, f"Ran {choice.label!r} on", **facts)
    lines = [result.text, *(f"Created {row['model']}: {row['name']} (id {row['id']})." for row in created)]
    return ToolResult(result.structured, text="\n".join([*lines, *outcome.lines()]))
