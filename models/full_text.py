"""Ranked search over several models at once.

Which records may be found is decided by the ORM alone: the candidates come through `ToolCall.search`, as the user, on
fields this caller may read. PostgreSQL's text search then only puts these in order.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from odoo.fields import Field
from odoo.models import BaseModel
from odoo.tools import SQL

from ..services.errors import ToolError
from ..services.filters import literal_pattern
from ..services.model_names import importance, suggest
from ..services.uri import build
from .provenance import naming_outsiders
from .resource_record import record_url

# Setting: the technical names of the models to search, separated by commas; these where it is empty.
PARAMETER = "mcp_endpoint.search_models"
DEFAULT_MODELS = (
    "res.partner", "product.template", "sale.order", "account.move", "crm.lead", "purchase.order", "project.task",
    "project.project", "stock.picking", "helpdesk.ticket", "mrp.production", "calendar.event", "hr.employee.public",
    "hr.applicant", "knowledge.article", "event.event", "maintenance.request", "repair.order", "fleet.vehicle",
)  # fmt: skip
MAX_MODELS = 30
MAX_WORDS = 6
LONGEST_WORD = 100
# Per model: how many matching records are put in order, and how many of them are kept.
CANDIDATES = 200
KEPT = 10
# Of the partners that a word finds, those whose documents are looked for.
MAX_LINKED = 500

PARTNER = "partner_id"
_FIELDS = (
    "display_name", PARTNER, "name", "email", "phone", "ref", "default_code", "barcode", "vat", "client_order_ref",
    "origin", "partner_name", "description", "comment", "note", "narration", "body",
)  # fmt: skip
_WORD = re.compile(r"[^\s\"'(),;:?!<>\\|&*]+")
_LONGEST_INDEXED = 20_000
# Words of a question that say nothing about what is looked for.
_EMPTY_WORDS = frozenset(
    ("a", "an", "and", "are", "by", "for", "from", "how", "in", "is", "me", "my", "of", "on", "or", "show", "the", "to",
     "what", "where", "which", "who", "with")
)  # fmt: skip


@dataclass(frozen=True)
class Hit:
    """One thing found. `id` is the URI to fetch it by."""

    id: str
    title: str
    url: str
    score: float


def words_of(query: str) -> list[str]:
    """Return the words to look for, at most six. :raises ToolError: there are none"""
    found = [word[:LONGEST_WORD] for word in _WORD.findall(query.replace("\x00", " "))]
    telling = [word for word in found if word.lower() not in _EMPTY_WORDS] or found
    if not telling:
        raise ToolError("invalid_arguments", "The query has no words.", fix="Write what to look for, e.g. a name.")
    return list(dict.fromkeys(telling))[:MAX_WORDS]


def search_models(call) -> list[str]:
    """Return the models that are searched, as far as this caller may read them."""
    # sudo: the names of models that an administrator chose; what may be read of them is asked next.
    chosen = call.env["ir.config_parameter"].sudo().get_param(PARAMETER) or ""
    names = [name.strip() for name in chosen.split(",") if name.strip()] or list(DEFAULT_MODELS)
    return [name for name in names if call.allows_model(name)][:MAX_MODELS]


def find(call, query: str, limit: int) -> list[Hit]:
    """Return what fits a query best: first where all its words are found, and where nothing is, where any is."""
    words = words_of(query)
    models = search_models(call)
    linked = _Linked(call, words)
    hits = _written(call, words, query)
    records = []
    for done, model in enumerate(models, 1):
        records += _in_model(call, model, words, query, linked, any_word=False)
        call.progress(done, len(models), model)
    if not records and len(words) > 1:
        records = [hit for model in models for hit in _in_model(call, model, words, query, linked, any_word=True)]
    return sorted([*records, *hits], key=lambda hit: -hit.score)[:limit]


def text_score(words: Sequence[str], title: str, rest: str) -> float:
    """Return how well a text fits: 1 for each word in its title, less for one in the rest; 0 for none at all."""
    title, rest = title.casefold(), rest.casefold()
    found = [1.0 if word.casefold() in title else 0.3 if word.casefold() in rest else 0.0 for word in words]
    return sum(found) / len(found)


class _Linked:
    """The partners that a word names, looked up once for the documents of all models.

    A condition on the partner's name inside the search of documents would look through all partners once per model.
    """

    def __init__(self, call, words: Sequence[str]) -> None:
        self._call = call
        self._words = words
        self._found: dict[tuple[str, ...], list[int]] = {}

    def ids(self, model: str, word: str) -> list[int]:
        """Return the newest that have the word in their name, and where these are too many, those that have all."""
        found = self._named(model, word)
        if len(found) < MAX_LINKED or len(self._words) == 1:
            return found
        return [*found, *self._named(model, *self._words)]

    def _named(self, model: str, *words: str) -> list[int]:
        key = (model, *words)
        if key not in self._found:
            raw = [["display_name", "ilike", literal_pattern(word)] for word in words]
            domain = self._call.domain(model, raw, archived="include")
            self._found[key] = self._call.search(domain, order="id desc", limit=MAX_LINKED).ids
        return self._found[key]


def _in_model(call, model: str, words: list[str], query: str, linked: _Linked, *, any_word: bool) -> list[Hit]:
    # "invoice azure": the word that names the model need not be in its records.
    naming = [word for word in words if model in suggest(word)]
    wanted = [word for word in words if word not in naming] or words
    names = _searched_fields(call, model)
    if not names:
        return []
    partner = call.env[model]._fields[PARTNER].comodel_name if PARTNER in names else None
    groups = [_terms(names, word, linked.ids(partner, word) if partner else []) for word in wanted]
    raw = ["|" if any_word else "&"] * (len(groups) - 1) + [term for group in groups for term in group]
    candidates = call.search(call.domain(model, raw), order="id desc", limit=CANDIDATES)
    if not candidates:
        return []
    if len(candidates) == CANDIDATES:
        # What is called exactly so must not be lost among the many.
        exact = [[_name_field(call, model), "=ilike", literal_pattern(query.strip())]]
        candidates |= call.search(call.domain(model, exact), limit=KEPT)
    ranks = _ranks(call, candidates, names, wanted)
    best = candidates.browse(sorted(ranks, key=lambda record: -ranks[record])[:KEPT])
    label = call.env["ir.model"]._get(model).name
    found = []
    rows = call.read(best, ["display_name", *([PARTNER] if PARTNER in names else [])])
    outside = naming_outsiders(call, best)
    for row in rows:
        name = _title(row, f"{model} {row['id']}")
        title = call.boundary.cell(name) if row["id"] in outside else name
        score = ranks[row["id"]] + text_score(wanted, name, "") + _likeness(name, query) + bool(naming)
        # Between equals, the model a business cares about more comes first.
        score -= importance(model) / 1000
        uri = build("record", model, row["id"])
        found.append(Hit(uri, f"{title} ({label})", record_url(best.browse(row["id"])), score))
    return found


def _title(row: Mapping, otherwise: str) -> str:
    """Return what a record is called, with whom it concerns: people look for documents by their customer."""
    name, partner = str(row["display_name"] or otherwise), row.get(PARTNER)
    return f"{name}, {partner[1]}" if partner and partner[1] and partner[1] not in name else name


def _searched_fields(call, model: str) -> list[str]:
    readable = call.fields(model)
    found = [name for name in _FIELDS if name in readable and _is_searched(readable[name])]
    if PARTNER not in found or not call.allows_model(readable[PARTNER].comodel_name):
        return [name for name in found if name != PARTNER]
    # Documents that are also known by their partner's name: `_Linked` has looked that up, once for all models.
    searched = call.env[model]._rec_names_search or ()
    if any(name.startswith(f"{PARTNER}.") for name in searched):
        own = [name for name in searched if name in readable and _is_searched(readable[name])]
        found = list(dict.fromkeys([*own, *(name for name in found if name != "display_name")]))
    return found


def _is_searched(field: Field) -> bool:
    if field.name == "display_name":
        return True
    return bool(field.store and field.type in ("char", "text", "html", "many2one") and not field.company_dependent)


def _name_field(call, model: str) -> str:
    """Return the column that holds the name, where there is one: `display_name` may look through several."""
    field = call.fields(model).get(call.env[model]._rec_name or "")
    return field.name if field is not None and field.store and field.type == "char" else "display_name"


def _terms(names: Sequence[str], word: str, partners: Sequence[int]) -> list:
    """Return the domain in which a word is in one of the fields, or the partner is one of these."""
    terms = [[name, "ilike", literal_pattern(word)] for name in names if name != PARTNER]
    terms += [[PARTNER, "in", list(partners)]] if partners else []
    return [*["|"] * (len(terms) - 1), *terms]


def _ranks(call, records: BaseModel, names: Iterable[str], words: Sequence[str]) -> dict[int, float]:
    """Return PostgreSQL's rank of each record, 0 where the words are only parts of its words."""
    query = records._as_query(ordered=False)
    unaccent = call.env.registry.unaccent
    columns = [name for name in names if name not in ("display_name", PARTNER)]
    if not columns:
        return dict.fromkeys(records.ids, 0.0)
    parts = []
    for name in columns:
        # `_field_to_sql` refuses a field that the user may not read.
        value = records._field_to_sql(query.table, name, query)
        text = unaccent(SQL("left(coalesce(%s, ''), %s)", value, _LONGEST_INDEXED))
        weight = "A" if name == records._rec_name else "C"
        parts.append(SQL("setweight(to_tsvector('simple', %s), %s)", text, weight))
    wanted = SQL("to_tsquery('simple', %s)", unaccent(SQL("%s", " | ".join(f"'{word}':*" for word in words))))
    rank = SQL("ts_rank(%s, %s)", SQL(" || ").join(parts), wanted)
    return dict(call.env.execute_query(query.select(SQL.identifier(query.table, "id"), rank)))


def _likeness(name: str, query: str) -> float:
    name, query = name.casefold(), query.strip().casefold()
    return 2.0 if name == query else 1.0 if name.startswith(query) else 0.0


def _written(call, words: Sequence[str], query: str) -> list[Hit]:
    """Return the prompts and the company's own resources that have every word."""
    found = []
    for prompt in call.env["mcp.prompt"]._available(call).values():
        uri = build("prompt", prompt.name)
        found.append((uri, f"{prompt.title} (skill)", f"{prompt.name} {prompt.description or ''} {prompt.body}"))
    for resource in call.env["mcp.resource"].search([]):
        uri = build("custom", resource.slug)
        found.append((uri, resource.name, f"{resource.description or ''} {resource.body or ''}"))
    return [
        Hit(uri, title, uri, text_score(words, title, rest) + _likeness(title, query) - 0.2)
        for uri, title, rest in found
        if all(word.casefold() in f"{title} {rest}".casefold() for word in words)
    ]
