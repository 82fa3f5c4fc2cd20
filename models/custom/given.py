"""What a call of a custom tool was given: each argument read by its kind, and the records to work on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from odoo.fields import Datetime
from odoo.models import BaseModel

from ...services.custom_tools import MOST_RECORDS, Argument, CustomTool
from ...services.errors import ToolError
from ...services.times import from_wire
from ..prompt_arguments import read_date, read_record


@dataclass(frozen=True)
class Given:
    """The arguments of one call.

    :param values: plain JSON by name, None for what was not given: dates as `2025-07-01`, times as Odoo writes them
        (`2025-07-01 12:30:00`, UTC), a record as its id, several as a list of ids
    :param records: those of the argument that the tool works on; None when it has none or it was not given
    """

    values: Mapping[str, object]
    records: BaseModel | None


def read_arguments(call, tool: CustomTool, sent: Mapping[str, object]) -> Given:
    """Return what was given; records are such that this caller can see.

    :param sent: validated arguments, without the standard ones
    :raises ToolError: naming the argument
    """
    values: dict[str, object] = {}
    records = None
    for argument in tool.arguments:
        value = sent.get(argument.name)
        value = argument.default_value() if value is None or value == "" else value
        read = _READERS.get(argument.kind)
        if value is not None and read:
            value = read(call, argument, value)
        if isinstance(value, BaseModel):
            if argument == tool.target:
                records = value
            value = value.id if argument.kind == "record" else value.ids
        values[argument.name] = value
    return Given(values, records)


def _date(call, argument: Argument, value: str) -> str:
    return read_date(call, argument.name, value.strip())


def _datetime(call, argument: Argument, value: str) -> str:
    try:
        return Datetime.to_string(from_wire(value, call.env.context.get("tz")))
    except ValueError as error:
        raise ToolError("invalid_arguments", f"{argument.name} must be {error}.") from error


def _record(call, argument: Argument, value: str) -> BaseModel:
    return read_record(call, argument.name, argument.model, value.strip())


def _records(call, argument: Argument, value: list[int]) -> BaseModel:
    if not 1 <= len(set(value)) <= MOST_RECORDS:
        raise ToolError("invalid_arguments", f"{argument.name}: give 1 to {MOST_RECORDS} different ids.")
    return call.records(argument.model, "read", value)


_READERS: dict[str, Callable] = {"date": _date, "datetime": _datetime, "record": _record, "records": _records}
