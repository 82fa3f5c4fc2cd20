"""How much a field matters to somebody who uses a model: a number from facts about it, higher first.

A heuristic over what the model's authors said (name, type, required, tracked, shown in the list view), so that the
first 40 of 200 fields are those that people talk about. It decides only the order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BY_TYPE = {
    "char": 6, "text": 3, "html": 1, "many2one": 8, "selection": 8, "date": 8, "datetime": 8, "monetary": 8,
    "float": 5, "integer": 5, "boolean": 2, "one2many": 4, "many2many": 4, "reference": 2, "many2one_reference": 0,
    "binary": -20, "image": -20, "json": -15, "properties": -6, "properties_definition": -25,
}  # fmt: skip

# The words that business fields are made of, whatever the model.
_BY_NAME = {
    "name": 30, "state": 26, "stage_id": 24, "partner_id": 20, "product_id": 20, "email": 14, "phone": 14, "ref": 10,
    "default_code": 12, "barcode": 6, "list_price": 12, "standard_price": 8, "price_unit": 14, "amount_total": 18,
    "amount_residual": 12, "expected_revenue": 14, "probability": 6, "user_id": 14, "date": 12, "date_order": 14,
    "date_deadline": 12, "invoice_date": 14, "invoice_date_due": 12, "scheduled_date": 12, "move_type": 20,
    "payment_state": 14, "order_line": 16, "invoice_line_ids": 16, "line_ids": 8, "move_ids": 12, "quantity": 12,
    "product_uom_qty": 14, "product_qty": 14, "origin": 6, "project_id": 12, "description": 6, "note": 4,
    "company_id": 6, "parent_id": 8, "category_id": 6, "categ_id": 8, "tag_ids": 6, "is_company": 10, "vat": 8,
    "street": 6, "city": 8, "zip": 4, "country_id": 8, "type": 6, "active": 0, "currency_id": 0, "sequence": -4,
    "discount": 12, "tax_ids": 8, "tax_id": 8, "product_uom_id": 6,
    "display_type": -6, "display_name": -10, "id": -30, "create_date": -4, "write_date": -6, "create_uid": -10,
    "write_uid": -12, "parent_path": -30, "color": -8, "priority": 2,
}  # fmt: skip

_PLUMBING = re.compile(
    r"^(message_|my_activity_|activity_|website_|rating_|image_|avatar_|access_|signed_|has_|show_|hide_|is_|can_|"
    r"tax_country|tax_calculation|json_|attachment_|perm_|im_status|duplicate)|(_count|_warning|_warn|_msg|_json|_html"
    r"|_placeholder|_access|_url)$"
)
_PLUMBING_EXCEPT = frozenset({"is_company"})


def rank(facts: Mapping[str, object]) -> float:
    """Return how much a field matters.

    :param facts: `name`, `type`, and what is true of `required`, `tracked`, `indexed`, `listed` (in the list view),
        `ordering` (the model is sorted by it), `record_name`, `custom`, `stored`, `computed`, `related`, `foreign`
        (added by another module than the model's own), `restricted` (to some groups)
    """
    name = str(facts["name"])
    score = _BY_TYPE.get(str(facts["type"]), 0) + _BY_NAME.get(name, 0)
    score += sum(points for fact, points in _POINTS.items() if facts.get(fact))
    if facts.get("computed") and not facts.get("stored"):
        score -= 4 if facts.get("listed") else 10
    if name not in _PLUMBING_EXCEPT and _PLUMBING.search(name):
        score -= 18
    return score


_POINTS = {
    "record_name": 40,
    "required": 14,
    "listed": 14,
    "tracked": 10,
    "custom": 10,
    "ordering": 4,
    "indexed": 3,
    "foreign": -3,
    "related": -3,
    "restricted": -3,
}
