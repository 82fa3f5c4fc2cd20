"""What the fuzz tests send: random JSON, messages, arguments that half fit a schema, domains that half fit a model."""

from hypothesis import strategies as st

MODELS = (
    "res.partner",
    "sale.order",
    "sale.order.line",
    "account.move",
    "product.template",
    "crm.lead",
    "stock.picking",
    "project.task",
    "hr.employee",
    "res.users",
    "ir.attachment",
    "mail.message",
    "ir.model",
    "res.groups",
    "mcp.token",
    "mcp.audit.log",
    "ir.config_parameter",
    "no.such.model",
    "",
    "_",
    "res.partner ",
    "RES.PARTNER",
)
FIELDS = (
    "id",
    "name",
    "display_name",
    "email",
    "partner_id",
    "partner_id.name",
    "user_id",
    "user_id.password",
    "state",
    "date_order",
    "date_order:month",
    "create_date",
    "amount_total",
    "amount_total:sum",
    "order_line",
    "order_line.product_id",
    "active",
    "image_1920",
    "properties",
    "company_id",
    "write_uid.login",
    "password",
    "*",
    "__count",
    "id:count",
    "",
    ".",
    "name.name",
    "partner_id.",
    "__class__",
    "env",
    "name; DROP TABLE x",
    "name desc",
)
# What nearly every model has.
COMMON = ("id", "name", "display_name", "create_date", "write_date", "create_uid")
REAL_MODELS = MODELS[:12]
OPERATORS = (
    "=",
    "!=",
    "<",
    ">",
    "<=",
    ">=",
    "=?",
    "like",
    "ilike",
    "not ilike",
    "=like",
    "=ilike",
    "in",
    "not in",
    "child_of",
    "parent_of",
    "any",
    "not any",
    "any!",
    "&",
    "",
    "==",
    "inselect",
    "eq",
    "contains",
)
LOGIC = ("&", "|", "!")
WORDS = (
    "azure",
    "today",
    "2026-01-01",
    "2026-13-45",
    "2026-01-01T00:00:00+02:00",
    "1",
    "-1",
    "0",
    "true",
    "null",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "\u0000",
    "\ud83d\ude00",
    "é" * 200,
    "x" * 5000,
    "en_US",
    "xx_XX",
    "all",
    "json",
    "table",
    "\n",
)

# Surrogates cannot be sent as UTF-8; NUL is what PostgreSQL cannot store.
texts = st.one_of(st.sampled_from(WORDS), st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
numbers = st.one_of(
    st.integers(-3, 100),
    st.sampled_from([2**31, 2**63, -(2**63), 10**30, 1e308]),
    st.floats(allow_nan=False, allow_infinity=False),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
real_fields = st.one_of(st.sampled_from(COMMON), st.sampled_from(FIELDS))
fields = st.one_of(st.sampled_from(COMMON), st.sampled_from(FIELDS), texts)
models = st.sampled_from(MODELS)
real_models = st.sampled_from(REAL_MODELS)


def domains():
    """Domains: sound ones, and such with wrong operators, fields, values and structure."""
    return st.one_of(sound_domains, sound_domains, _wild_domains())


def _leaf(field, operators, value):
    return st.tuples(st.just(field), st.sampled_from(operators), value).map(list)


_dates = st.sampled_from(
    ["2026-01-01", "2026-06-30 12:00:00", "2026-06-30T12:00:00+02:00", "today", "1066-10-14", False]
)
_ids = st.integers(1, 60)
_sound_leaves = st.one_of(
    _leaf("id", ("=", "!=", "<", ">=", "in"), _ids),
    _leaf("id", ("in", "not in"), st.lists(_ids, max_size=4)),
    _leaf("name", ("=", "!=", "ilike", "not ilike", "like", "=ilike"), texts),
    _leaf("display_name", ("ilike",), texts),
    _leaf("create_date", ("<", ">=", "=", "!="), _dates),
    _leaf("create_uid", ("=", "in"), st.one_of(_ids, st.lists(_ids, max_size=3))),
    _leaf("create_uid.name", ("ilike", "="), texts),
    _leaf("write_uid", ("any", "not any"), st.lists(_leaf("name", ("ilike",), texts), max_size=2)),
)
sound_domains = st.recursive(
    st.lists(_sound_leaves, max_size=2),
    lambda inner: st.one_of(
        st.tuples(_sound_leaves, _sound_leaves, st.sampled_from("&|")).map(lambda parts: [parts[2], *parts[:2]]),
        _sound_leaves.map(lambda leaf: ["!", leaf]),
        st.tuples(inner, inner).map(lambda parts: [*parts[0], *parts[1]]),
    ),
    max_leaves=4,
)


def _wild_domains():
    leaf_values = st.one_of(scalars, st.lists(scalars, max_size=4))
    leaf = st.tuples(fields, st.sampled_from(OPERATORS), leaf_values).map(list)
    nested = st.tuples(fields, st.sampled_from(("any", "not any", "in")), st.lists(leaf, max_size=3)).map(list)
    return st.lists(st.one_of(leaf, nested, st.sampled_from(LOGIC), scalars), max_size=6)


def arguments(schema):
    """Arguments for a tool: some that fit its schema, some with a wrong one among them, some with anything."""
    properties = schema.get("properties", {})
    fitting = {name: _fitting(name, part) for name, part in properties.items()}
    mixed = {name: st.one_of(part, part, part, values) for name, part in fitting.items()}
    odd = st.dictionaries(st.one_of(st.sampled_from(sorted(properties) or ["x"]), texts), values, max_size=6)
    few = {name: part for name, part in fitting.items() if name in FEW}
    required = schema.get("required", ())
    return st.one_of(
        _object(few, required, fitting),
        _object(fitting, required),
        _object(fitting, required),
        _object(mixed, required),
        odd,
    )


def messages(methods):
    """JSON-RPC messages and what resembles them."""
    params = st.one_of(
        st.none(),
        values,
        st.fixed_dictionaries(
            {},
            optional={
                "name": texts,
                "arguments": values,
                "protocolVersion": texts,
                "capabilities": values,
                "clientInfo": values,
                "level": texts,
                "cursor": values,
                "_meta": values,
                "uri": texts,
            },
        ),
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "jsonrpc": st.sampled_from(["2.0", "1.0", 2.0, None]),
            "id": st.one_of(st.integers(), texts, values),
            "method": st.one_of(st.sampled_from(methods), texts, values),
            "params": params,
            "result": values,
            "error": values,
        },
    )


# With only these a call has a fair chance to reach the database.
FEW = ("model", "fields", "limit", "order", "archived", "format", "measures", "records", "values", "dry_run")


def _object(parts, required, others=None):
    needed = {name: {**(others or {}), **parts}[name] for name in required}
    return st.fixed_dictionaries(needed, optional={name: part for name, part in parts.items() if name not in needed})


def _fitting(name, schema):
    if name == "model":
        return st.one_of(real_models, real_models, models)
    if name == "domain":
        return domains()
    if name == "order":
        return st.tuples(real_fields, st.sampled_from(["", " desc", " asc nulls first", " sideways"])).map("".join)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema.get("type"):
        case "string":
            return fields if "field" in name else texts
        case "integer":
            return st.integers(-1, 120)
        case "number":
            return numbers
        case "boolean":
            return st.booleans()
        case "array":
            of_fields = any(part in name for part in ("field", "group", "measure"))
            return st.lists(fields if of_fields else _fitting(name, schema.get("items", {})), max_size=3)
        case "object":
            if schema.get("properties"):
                return arguments(schema)
            return st.dictionaries(fields, scalars, max_size=3)
    return values
