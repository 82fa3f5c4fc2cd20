"""What people and models call Odoo's models: everyday words, names of older versions, and what matters most.

Data and text comparison only. Which of the names exist in a database, and which the caller may see, is for the caller
of these functions to decide.
"""

from __future__ import annotations

import re
from functools import lru_cache

# The models that a business runs on, the most wanted first, with the words people use for them (singular, English;
# labels in the user's language come from Odoo).
BUSINESS_MODELS: dict[str, tuple[str, ...]] = {
    "res.partner": ("customer", "client", "contact", "vendor", "supplier", "company contact", "address", "partner",
                    "person", "account", "organization"),
    "sale.order": ("sale", "sales order", "quotation", "quote", "order", "customer order"),
    "crm.lead": ("lead", "opportunity", "pipeline", "deal", "prospect"),
    "account.move": ("invoice", "bill", "vendor bill", "customer invoice", "credit note", "refund", "journal entry",
                     "receipt", "accounting entry"),
    "product.template": ("product", "article", "item", "catalog", "goods", "service"),
    "product.product": ("product variant", "variant", "sku", "product", "item"),
    "stock.picking": ("transfer", "delivery", "delivery order", "shipment", "receipt", "picking", "goods receipt"),
    "stock.quant": ("stock", "stock level", "inventory", "quantity on hand", "on hand"),
    "purchase.order": ("purchase", "rfq", "request for quotation", "purchase order", "po"),
    "project.task": ("task", "to-do", "todo", "ticket", "issue"),
    "project.project": ("project",),
    "helpdesk.ticket": ("ticket", "support ticket", "case", "issue"),
    "hr.employee": ("employee", "staff", "worker", "colleague"),
    "hr.employee.public": ("employee", "colleague", "employee directory"),
    "hr.leave": ("leave", "time off", "vacation", "holiday", "absence", "time off request"),
    "hr.leave.allocation": ("leave allocation", "time off allocation", "leave balance"),
    "hr.attendance": ("attendance", "check in", "check out", "clock in"),
    "hr.expense": ("expense", "expense claim", "reimbursement"),
    "hr.applicant": ("applicant", "candidate", "application", "job application"),
    "hr.job": ("job", "job position", "vacancy", "position"),
    "hr.department": ("department", "team"),
    "calendar.event": ("meeting", "event", "calendar", "appointment"),
    "mail.activity": ("activity", "reminder", "follow-up", "next activity", "planned activity", "to-do"),
    "mrp.production": ("manufacturing order", "production order", "production", "mo", "work order"),
    "mrp.bom": ("bill of materials", "bom", "recipe"),
    "account.payment": ("payment", "customer payment", "vendor payment"),
    "sale.order.line": ("sales order line", "quotation line", "order line", "order item"),
    "account.move.line": ("invoice line", "journal item", "bill line", "accounting line", "ledger"),
    "purchase.order.line": ("purchase order line", "purchase line"),
    "stock.move": ("stock move", "stock movement", "inventory move"),
    "account.analytic.line": ("timesheet", "timesheet entry", "analytic item", "hours worked", "time entry"),
    "account.analytic.account": ("analytic account", "cost center"),
    "account.account": ("ledger account", "gl account", "chart of accounts", "account"),
    "account.journal": ("journal", "bank account journal"),
    "account.tax": ("tax", "vat"),
    "account.payment.term": ("payment term",),
    "account.bank.statement.line": ("bank transaction", "bank statement line"),
    "fleet.vehicle": ("vehicle", "car", "fleet"),
    "maintenance.request": ("maintenance request", "repair request"),
    "repair.order": ("repair", "repair order"),
    "event.event": ("event", "conference"),
    "event.registration": ("attendee", "event registration"),
    "pos.order": ("point of sale order", "pos order", "till receipt"),
    "loyalty.program": ("loyalty program", "promotion", "coupon program", "discount program"),
    "survey.survey": ("survey", "questionnaire"),
    "mailing.mailing": ("mailing", "newsletter", "email campaign"),
    "utm.campaign": ("campaign", "marketing campaign"),
    "crm.team": ("sales team",),
    "crm.stage": ("pipeline stage", "crm stage"),
    "crm.tag": ("crm tag", "lead tag", "sales tag"),
    "project.task.type": ("task stage", "project stage"),
    "product.category": ("product category",),
    "product.pricelist": ("pricelist", "price list", "price"),
    "product.supplierinfo": ("vendor pricelist", "supplier price"),
    "stock.warehouse": ("warehouse",),
    "stock.location": ("stock location", "location", "bin", "shelf"),
    "stock.lot": ("lot", "serial number", "batch number"),
    "delivery.carrier": ("carrier", "delivery method", "shipping method"),
    "uom.uom": ("unit of measure", "uom", "unit"),
    "res.users": ("user", "salesperson", "login"),
    "res.company": ("own company", "subsidiary", "legal entity", "branch"),
    "res.currency": ("currency", "exchange rate"),
    "res.country": ("country",),
    "res.country.state": ("state", "province", "region"),
    "res.partner.category": ("contact tag", "partner tag", "customer tag"),
    "res.partner.bank": ("bank account", "iban"),
    "mail.message": ("message", "chatter", "comment", "note", "email", "conversation"),
    "discuss.channel": ("channel", "chat", "discussion"),
    "knowledge.article": ("knowledge article", "wiki", "wiki page"),
    "documents.document": ("document", "file"),
    "blog.post": ("blog post",),
    "website.page": ("web page",),
}  # fmt: skip

# What a model was called in an older version, or is often taken to be called.
OLD_NAMES: dict[str, tuple[str, ...]] = {
    "account.invoice": ("account.move",),
    "account.invoice.line": ("account.move.line",),
    "account.voucher": ("account.move",),
    "account.analytic.default": ("account.analytic.distribution.model",),
    "account.analytic.group": ("account.analytic.plan",),
    "account.analytic.tag": ("account.analytic.plan",),
    "account.account.type": ("account.account",),
    "crm.opportunity": ("crm.lead",),
    "crm.lead.tag": ("crm.tag",),
    "crm.case": ("crm.lead",),
    "crm.phonecall": ("mail.activity",),
    "hr.holidays": ("hr.leave", "hr.leave.allocation"),
    "hr.holidays.status": ("hr.leave.type",),
    "hr.contract": ("hr.version",),
    "hr.timesheet": ("account.analytic.line",),
    "hr.analytic.timesheet": ("account.analytic.line",),
    "hr_timesheet.sheet": ("account.analytic.line",),
    "hr.expense.sheet": ("hr.expense",),
    "mail.channel": ("discuss.channel",),
    "mail.channel.member": ("discuss.channel.member",),
    "mail.mass_mailing": ("mailing.mailing",),
    "mail.mass_mailing.list": ("mailing.list",),
    "mail.mass_mailing.contact": ("mailing.contact",),
    "mrp.repair": ("repair.order",),
    "procurement.order": ("stock.move",),
    "procurement.group": ("stock.reference",),
    "product.uom": ("uom.uom",),
    "product.uom.categ": ("uom.uom",),
    "uom.category": ("uom.uom",),
    "product.price.history": ("product.product",),
    "product.attribute.line": ("product.template.attribute.line",),
    "project.issue": ("project.task",),
    "project.tag": ("project.tags",),
    "res.partner.address": ("res.partner",),
    "res.partner.title": ("res.partner",),
    "sale.coupon": ("loyalty.card",),
    "sale.coupon.program": ("loyalty.program",),
    "coupon.program": ("loyalty.program",),
    "coupon.coupon": ("loyalty.card",),
    "sale.order.option": ("sale.order.line",),
    "sale.subscription": ("sale.order",),
    "stock.inventory": ("stock.quant",),
    "stock.inventory.line": ("stock.quant",),
    "stock.pack.operation": ("stock.move.line",),
    "stock.picking.in": ("stock.picking",),
    "stock.picking.out": ("stock.picking",),
    "stock.production.lot": ("stock.lot",),
    "stock.tracking": ("stock.package",),
    "stock.quant.package": ("stock.package",),
}


def normalized(text: str) -> str:
    """Return words in lower case, singular, without punctuation: `Sales-Orders` and `sale.order` compare as equal."""
    words = re.findall(r"\w+", text.lower().replace("_", " "))
    return " ".join(_singular(word) for word in words)


def suggest(name: str) -> list[str]:
    """Return the models that an everyday word or an old technical name stands for, the likeliest first."""
    wanted = normalized(name)
    found = [*_OLD.get(wanted, ()), *_BY_WORD.get(wanted, ())]
    return list(dict.fromkeys(found))


def match(query: str, name: str, *labels: str) -> float:
    """Return how well a model answers to a query, from 0 (not at all) to 100 (that is its name).

    :param query: what the caller looks for, already `normalized`
    :param labels: what the model is called in one or more languages
    """
    own, texts, everything = _texts(name, labels)
    if query in own:
        return 100.0
    if name in _OLD.get(query, ()):
        return 95.0
    if name in _BY_WORD.get(query, ()):
        # Of several models that one word stands for, the more usual one comes first.
        return 92.0 - min(_BY_WORD[query].index(name), 9)
    words = list(dict.fromkeys(query.split()))
    if not any(map(everything.__contains__, words)):
        return 0.0
    return max((_by_words(words, text) for text in texts), default=0.0)


def importance(name: str) -> int:
    """Return the rank of a model among those that a business runs on, 0 first; those not listed share the last."""
    return _RANK.get(name, len(_RANK))


def usual_words(name: str) -> tuple[str, ...]:
    """Return the first few words that people use for a model, none for one that is not listed."""
    return BUSINESS_MODELS.get(name, ())[:3]


def is_listed(name: str) -> bool:
    """Say whether the model is one of those that a business runs on."""
    return name in BUSINESS_MODELS


def is_old(name: str) -> bool:
    """Say whether this was a model's name in an older version."""
    return normalized(name) in _OLD


# Holds the models of a large database in a few languages: every query is compared with all of them.
@lru_cache(maxsize=8_192)
def _texts(name: str, labels: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...], str]:
    """Return what a model is called, normalized; the same with the words people use for it; and all that as one."""
    own = (normalized(name), *(normalized(label) for label in labels if label))
    texts = tuple(dict.fromkeys((*own, *_WORDS.get(name, ()))))
    return own, texts, "\n".join(texts)


def _by_words(wanted: list[str], text: str) -> float:
    """All words found scores 60 to 85, the fewer others the more; some found scores less than 50."""
    there = text.split()
    hits = sum(word in there or (len(word) > 3 and word in text) for word in wanted)
    if not hits:
        return 0.0
    if hits == len(wanted):
        return 60.0 + 25.0 * min(1.0, hits / len(there))
    return 45.0 * hits / len(wanted)


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def _by_word() -> dict[str, tuple[str, ...]]:
    places: dict[str, list[tuple[int, str]]] = {}
    for model, words in BUSINESS_MODELS.items():
        for position, word in enumerate((model, *words)):
            places.setdefault(normalized(word), []).append((position, model))
    return {
        word: tuple(model for _position, model in sorted(found, key=lambda place: (place[0], _RANK[place[1]])))
        for word, found in places.items()
    }


_RANK = {name: rank for rank, name in enumerate(BUSINESS_MODELS)}
_BY_WORD = _by_word()
_WORDS = {name: tuple(normalized(word) for word in words) for name, words in BUSINESS_MODELS.items()}
_OLD = {normalized(name): models for name, models in OLD_NAMES.items()}
