"""The buttons in the architecture of a form, as `get_view` has already reduced it to what the user's groups see."""

import ast
from dataclasses import asdict, dataclass

from lxml import etree
from odoo.models import BaseModel

from ..services.guardrails import method_is_uncallable
from .schema_cache import cached

_ALWAYS = ("1", "True", "true")
_NEVER = ("", "0", "False", "false")


@dataclass(frozen=True)
class Button:
    """One button. `kind` is `object`, `action` or `save`; it is hidden where one of `hidden_if` holds."""

    name: str
    kind: str
    label: str
    hidden_if: tuple[str, ...] = ()
    context: str = ""
    asks: str = ""
    args: str = ""
    is_primary: bool = False

    def arguments(self) -> list:
        """Return what the view passes to the method. :raises ValueError: it is no list of constants"""
        return list(ast.literal_eval(self.args)) if self.args else []


def form_buttons(records: BaseModel) -> list[Button]:
    """Return the buttons of the form view that this user gets of a model."""
    rows = cached(
        records.env,
        f"buttons:{records._name}:form",
        lambda: [asdict(button) for button in buttons_in(form_of(records))],
        # Some views follow the company's country.
        by=records.env.company.id,
    )
    return [Button(**{**row, "hidden_if": tuple(row["hidden_if"])}) for row in rows]


def form_of(records: BaseModel, view_id: int | None = None) -> etree._Element:
    return etree.fromstring(records.browse().get_view(view_id or None, "form")["arch"])


def buttons_in(form: etree._Element) -> list[Button]:
    """Return the buttons of a form, in their order, without those that are never shown or only close it."""
    buttons = []
    # Buttons inside an x2many's own view act on its lines, not on this record.
    for node in form.xpath(".//button[not(ancestor::field)]"):
        kind = "save" if node.get("special") == "save" else node.get("type", "object")
        name = node.get("name") or ("save" if kind == "save" else "")
        conditions = hiding_conditions(node)
        if not name or conditions is None or kind not in ("object", "action", "save"):
            continue
        if node.get("special") == "cancel" or (kind == "object" and method_is_uncallable(name)):
            continue
        classes = (node.get("class") or "").split()
        button = Button(
            name=name,
            kind=kind,
            label=label_of(node) or name,
            hidden_if=conditions,
            context=node.get("context", ""),
            asks=node.get("confirm", ""),
            args=node.get("args", ""),
            is_primary=bool({"oe_highlight", "btn-primary"} & set(classes)),
        )
        buttons.append(button)
    return buttons


def hiding_conditions(node: etree._Element) -> tuple[str, ...] | None:
    """Return the conditions that hide a node, those of what it stands in included; None when it is always hidden."""
    conditions = []
    for each in (node, *node.iterancestors()):
        condition = " ".join((each.get("invisible") or "").split())
        if condition in _ALWAYS:
            return None
        if condition not in _NEVER:
            conditions.append(condition)
    return tuple(conditions)


def label_of(node: etree._Element) -> str:
    """Return what stands on a button; on one that shows a figure it is the figure's caption or the text beside it."""
    text = " ".join(" ".join(node.itertext()).split())
    return node.get("string") or text or next(iter(node.xpath(".//field/@string")), "") or node.get("title") or ""
