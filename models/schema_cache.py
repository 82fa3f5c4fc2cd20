"""Cached descriptions of models, kept as long as Odoo's own caches say that nothing changed."""

import json
from collections.abc import Callable, Hashable

from odoo.api import Environment

from ..services.schema_cache import DEFAULT_TTL, Counts, SchemaCache

# Setting: how many seconds a description is kept; 0 keeps none.
PARAMETER = "mcp_endpoint.schema_cache_seconds"
# Attribute of the registry object: the cache dies with it when modules or custom fields change.
_ATTRIBUTE = "_mcp_schema_cache"
# Access rights and languages; rules, actions and defaults; group hierarchy; views.
_SEQUENCES = ("stable", "default", "groups", "templates")


def cached(env: Environment, name: str, build: Callable[[], object], *, by: Hashable = None):
    """Return `build()` as plain JSON data, from the cache where it is there; see `cached_json`."""
    return json.loads(cached_json(env, name, build, by=by))


def cached_json(env: Environment, name: str, build: Callable[[], object], *, by: Hashable = None) -> bytes:
    """Return the JSON of `build()`, from the cache where it is there; then the same object each time.

    What is built may depend on the caller's groups and language, and on nothing else of the caller: not on the user,
    the company, the context or the policy. Those are applied to the result, each time.

    :param name: what is described, for `services.schema_cache.invalidate`: `fields:<model>`,
        `buttons:<model>`, `models`, `apps`
    :param by: what else the description depends on
    """
    registry = env.registry
    seconds = _seconds(env)
    if not seconds or _has_pending_changes(registry):
        return _json(build())
    cache = _cache(registry)
    cache.ttl = seconds
    sequences = tuple(registry.cache_sequences.get(sequence) for sequence in _SEQUENCES)
    groups = tuple(sorted(env.user._get_group_ids()))
    variant = (registry.registry_sequence, sequences, env.lang, groups, by)
    stored = cache.get(name, variant)
    if stored is None:
        stored = _json(build())
        # Building may itself have changed something (an override that clears caches).
        if not _has_pending_changes(registry):
            cache.set(name, stored, variant)
    return stored


def counts(env: Environment) -> Counts:
    """Return what the cache of this database was good for, in this process."""
    return _cache(env.registry).counts()


def clear(env: Environment) -> None:
    """Empty the cache of this database, when the transaction commits also in all other processes."""
    _cache(env.registry).invalidate()
    # The cheapest of Odoo's signals that are part of the key.
    env.registry.clear_cache("templates")


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _cache(registry) -> SchemaCache:
    cache = registry.__dict__.get(_ATTRIBUTE)
    return registry.__dict__.setdefault(_ATTRIBUTE, SchemaCache()) if cache is None else cache


def _seconds(env: Environment) -> int:
    # sudo: a number that is read to be obeyed, whoever asks; Odoo caches parameters.
    stored = env["ir.config_parameter"].sudo().get_param(PARAMETER) or ""
    return int(stored) if stored.isdecimal() else DEFAULT_TTL


def _has_pending_changes(registry) -> bool:
    """Say whether this transaction changed schema or access in a way that others may not see yet."""
    return bool(registry.registry_invalidated or registry.cache_invalidated)
