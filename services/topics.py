"""What changes are called between the process that makes one and those that hold streams: names of topics.

    tools, prompts, resources      rows that the lists are made of
    policy, modules, schema        profiles and tiers; installed modules; models and their fields
    user:7                         the groups of a user
    record:res.partner:7           a record; record:res.partner: many of them
    chatter:res.partner:7          its messages and activities; chatter:res.partner: of many
    uri:...                        a resource of another addon, by its URI
    gone:7:...                     a resource that is being deleted, for those with this token, who may read it
    session:7                      the subscriptions of a session
    task:7                         how far a job is, which a client may know as a task
    stream:...                     the outbox has news for a stream

Names only. Who makes a change is `models.change_notices`, who hears of it `models.stream_hub`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from .uri import Address

# More records of one model in one transaction are told as the model.
MOST_RECORDS = 500
LISTS = {
    "tools": "notifications/tools/list_changed",
    "prompts": "notifications/prompts/list_changed",
    "resources": "notifications/resources/list_changed",
}
# Whatever the list, these change it.
EVERY_LIST = ("policy", "modules")
_BY_KIND = {
    "context": ("policy", "modules"),
    "models": ("policy", "modules", "schema"),
    "categories": ("policy", "modules"),
    "module": ("modules",),
    "model": ("policy", "modules", "schema"),
    "access": ("policy", "modules", "schema"),
    "workflow": ("policy", "modules", "schema"),
    "custom": ("resources",),
    "prompt": ("prompts",),
}


def of_list(name: str, user_id: int) -> tuple[str, ...]:
    """Return the topics on which a list of this user may be another one."""
    return name, *EVERY_LIST, f"user:{user_id}"


def of_uri(uri: str, address: Address | None) -> tuple[str, ...]:
    """Return the topics on which a resource may have changed.

    :param address: what the URI names, None for one that is not ours
    """
    own = f"uri:{uri}"
    found = watched(address)
    if found is None:
        return (own, *_BY_KIND.get(address.kind, ())) if address else (own,)
    model, record_id = found
    kind = "chatter" if address and address.kind == "chatter" else "record"
    return own, f"{kind}:{model}", f"{kind}:{model}:{record_id}"


def gone(token_id: int, uri: str) -> str:
    """Return the topic on which a token hears that a resource is gone."""
    return f"gone:{token_id}:{uri}"


def task(job_id: int) -> str:
    """Return the topic on which a task may have come further."""
    return f"task:{job_id}"


def watched(address: Address | None) -> tuple[str, int] | None:
    """Return the model and the id of the record that a resource is about, None where it is about none."""
    if address is None:
        return None
    record_id = address.arguments.get("id")
    if address.kind == "attachment":
        return "ir.attachment", int(record_id or 0)
    model = address.arguments.get("model")
    if isinstance(model, str) and isinstance(record_id, int):
        return model, record_id
    return None


def of_records(kind: str, model: str, ids: Iterable[int]) -> list[str]:
    """Return the topics of a change of records; `kind` is `record` or `chatter`."""
    ids = list(ids)
    if len(ids) > MOST_RECORDS:
        return [f"{kind}:{model}"]
    return [f"{kind}:{model}:{record_id}" for record_id in ids]


def merged(names: Collection[str]) -> set[str]:
    """Return the topics of a transaction, those of many records of a model as the model's."""
    if len(names) <= MOST_RECORDS:
        return set(names)
    # `uri:` and `gone:` have colons of their own; who waits for those waits for each.
    split = [name.rpartition(":")[0] if name.startswith(("record:", "chatter:")) else "" for name in names]
    many = {model for model, count in Counter(split).items() if count > MOST_RECORDS and model.count(":") == 1}
    return {model if model in many else name for name, model in zip(names, split, strict=True)}
