"""What a view's expressions say (`invisible`, `readonly`, `context`, `domain`), for values as the web client has them.

The expressions come from views and actions of this database, never from the caller; the values are data.
"""

from collections.abc import Iterable, Mapping

from odoo.api import Environment
from odoo.fields import Date, Datetime
from odoo.models import BaseModel
from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import dateutil as safe_dateutil
from odoo.tools.safe_eval import safe_eval
from odoo.tools.safe_eval import time as safe_time

from ..services.view_condition import evaluate, names_in
from .journal_values import raw_value

_FAILURES = (ValueError, TypeError, SyntaxError, NameError, ArithmeticError, RecursionError)


def namespace(env: Environment, values: Mapping[str, object], active: BaseModel | None = None) -> dict[str, object]:
    """Return all names that an expression may use.

    :param active: the records that `active_id` and its like stand for
    """
    names = {
        "context": dict(env.context),
        "uid": env.uid,
        "allowed_company_ids": env.companies.ids,
        "current_company_id": env.company.id,
        "current_date": Date.to_string(Date.context_today(env.user)),
        "context_today": lambda: Date.context_today(env.user),
        "now": Datetime.to_string(env.cr.now()),
        "datetime": safe_datetime,
        "relativedelta": safe_dateutil.relativedelta.relativedelta,
        "time": safe_time,
        "id": False,
    }
    if active:
        names |= {"active_id": active.ids[0], "active_ids": active.ids, "active_model": active._name}
    return names | dict(values)


def says(condition: str, names: Mapping[str, object]) -> bool | None:
    """Return whether a condition holds, None when that cannot be told."""
    known = evaluate(condition, names)
    if known is not None:
        return known
    try:
        return bool(safe_eval(condition.strip(), dict(names)))
    except _FAILURES:
        return None


def any_says(conditions: Iterable[str], names: Mapping[str, object]) -> bool | None:
    """Return whether one of the conditions holds, None when none does and one cannot be told."""
    answers = [says(condition, names) for condition in conditions]
    return True if True in answers else None if None in answers else False


def literal(expression: object, names: Mapping[str, object]) -> object:
    """Return the dict or list that a view or an action gives as text; what is none already is returned as it is.

    :raises ValueError: it cannot be evaluated
    """
    if not isinstance(expression, str):
        return expression
    if not expression.strip():
        return None
    try:
        return safe_eval(expression.strip(), dict(names))
    except _FAILURES as error:
        raise ValueError(f"{expression[:100]} cannot be evaluated") from error


def values_for(call, records: BaseModel, conditions: Iterable[str]) -> dict[int, dict[str, object]]:
    """Return by record the values of those fields that the conditions name and the caller may read."""
    wanted = set().union(*(names_in(condition) for condition in conditions))
    fields = call.fields(records._name)
    readable = sorted(wanted & fields.keys())
    rows = call.read(records, readable)
    return {row["id"]: {name: _as_in_client(fields[name], row[name]) for name in readable} for row in rows}


def _as_in_client(field, value: object) -> object:
    """Return a value of `read()` as the web client's expressions see it: ids for links, texts for dates."""
    if field.type in ("boolean", "binary"):
        return bool(value)
    plain = raw_value(field, value)
    return False if plain is None else plain
