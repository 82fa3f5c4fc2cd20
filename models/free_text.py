"""Free text search: the records of one model that have all the given words in their name or a few telling fields."""

from odoo.fields import Domain

from ..services.errors import ToolError
from ..services.filters import literal_pattern
from .field_paths import invalid, resolve, unmasked
from .filter_values import name_fields, pattern_text

# Fields people search by, besides those of the model's own name search.
TELLING = ("name", "email", "phone", "mobile", "ref", "default_code", "code", "barcode", "vat", "client_order_ref")
MAX_WORDS = 8


def matching(call, model: str, query: str) -> Domain:
    """Return the domain of the records in which each word of `query` is in the name or in one of the telling fields.

    :raises ToolError: no words, or nothing in this model that this caller may search by
    """
    names = _name_fields(call, model)
    return _with_all(call, model, _words(call, model, query), [*names, *_telling_fields(call, model)])


def named(call, model: str, name: str) -> Domain:
    """Return the domain of the records whose name has each word of `name`, or all of it as it stands.

    As Odoo's own fields look for the record to link. Where no part of the name is open, in the telling fields.

    :raises ToolError: as `matching`
    """
    words, names = _words(call, model, name), _name_fields(call, model)
    found = _with_all(call, model, words, names or _telling_fields(call, model))
    if len(words) > 1 and names:
        # Some models read a whole name: `California (US)`.
        found |= _with_all(call, model, [" ".join(words)], names)
    return found


def _words(call, model: str, query: str) -> list[str]:
    try:
        words = pattern_text(query, "query").split()
    except ValueError as error:
        raise invalid(f"query {error}.", model) from error
    if len(words) > MAX_WORDS:
        # Further words narrow too much; what they add is better said in filters.
        call.note(f"Only the first {MAX_WORDS} words of the query were used.")
    return words[:MAX_WORDS]


def _with_all(call, model: str, words: list[str], names: list[str]) -> Domain:
    if not names:
        raise invalid(f"{model} has no text fields to search in.", model, fix="Use filters.")
    records = call.env[model]
    return Domain.AND(
        Domain.OR(Domain(name, "ilike", literal_pattern(word)) & unmasked(records, name) for name in names)
        for word in words
    )


def _name_fields(call, model: str) -> list[str]:
    own = name_fields(call, model)
    open_names = [name for name in own if _is_open(call, model, name)]
    # With all of them open the model's own name search is used: it may be cleverer than its fields.
    return ["display_name"] if own and open_names == own and _is_open(call, model, "display_name") else open_names


def _telling_fields(call, model: str) -> list[str]:
    own, fields = name_fields(call, model), call.env[model]._fields
    more = [name for name in TELLING if name not in own and name in fields and _is_open(call, model, name)]
    return [name for name in more if fields[name].type in ("char", "text") and fields[name].store]


def _is_open(call, model: str, name: str) -> bool:
    try:
        path = resolve(call, model, name)
    except ToolError:
        return False
    return path.field._description_searchable
