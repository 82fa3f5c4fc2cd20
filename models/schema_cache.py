"""Cached descriptions of models, kept as long as Odoo's own caches say that nothing changed."""

import json
from collections.abc import Callable, Hashable

from odoo.api import Environment

from ..services.schema_cache import SchemaCache

# Attribute of the registry object: the cache dies with it when modules or custom fields change.
_ATTRIBUTE = "_mcp_schema_cache"
# Access rights and languages; rules, actions and defaults; group hierarchy; views.
_SEQUENCES = ("stable", "default", "groups", "templates")


def cached(env: Environment, name: str, build: Callable[[], object], *, by: Hashable = None):
    """Return `build()` as plain JSON data, from the cache where it is there.

    What is built may depend on the caller's groups and language, and on nothing else of the caller: not on the user,
    the company, the context or the policy. Those are applied to the result, each time.

    :param name: what is described, for `services.schema_cache.invalidate`: `fields:<model>`,
        `buttons:<model>`, `models`, `apps`
    :param by: what else the description depends on
    """
    registry = env.registry
    if _has_pending_changes(registry):
        return json.loads(json.dumps(build()))
    cache = registry.__dict__.get(_ATTRIBUTE)
    if cache is None:
        cache = registry.__dict__.setdefault(_ATTRIBUTE, SchemaCache())
    sequences = tuple(registry.cache_sequences.get(sequence) for sequence in _SEQUENCES)
    groups = tuple(sorted(env.user._get_group_ids()))
    variant = (registry.registry_sequence, sequences, env.lang, groups, by)
    stored = cache.get(name, variant)
    if stored is None:
        stored = json.dumps(build(), separators=(",", ":")).encode()
        # Building may itself have changed something (an override that clears caches).
        if not _has_pending_changes(registry):
            cache.set(name, stored, variant)
    return json.loads(stored)


def _has_pending_changes(registry) -> bool:
    """Say whether this transaction changed schema or access in a way that others may not see yet."""
    return bool(registry.registry_invalidated or registry.cache_invalidated)
