"""Savepoints for tool calls: for reads that cannot write, for real changes, and for rehearsals that always roll back.

A plain savepoint leaves things behind when it is rolled back: callbacks that run after the commit, data they share,
Odoo's own caches filled from rows that are gone; and a `commit` inside would end it. These managers deal with that.
"""

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from odoo.api import Environment
from odoo.sql_db import BaseCursor
from odoo.tools import SQL, OrderedSet

from ..services.errors import ToolError
from ..services.outgoing import OutgoingMuted, muted
from ..services.tool import ToolResult
from . import side_effects
from .cursor_methods import replaced

# How much of the difference a preview lists; a person decides on it, and the model pays for it.
MOST_CHANGES = 60
# A key of `cr.postrollback.data`: Odoo's cache may hold an external id that the transaction has made.
EXTERNAL_IDS_MADE = "mcp_endpoint.external_ids_made"
# A key of `cr.postcommit.data`, which ends with the transaction and outlives a savepoint that is rolled back.
_UNSENT = "mcp_endpoint.unsent"
_END_OF_READING = "RELEASE SAVEPOINT mcp_reading; SET LOCAL statement_timeout TO DEFAULT"
# For what only reports: a crash may lose the last few rows of reads, never a write's.
WITHOUT_WAITING = "SET LOCAL synchronous_commit = off"
# By what a cursor is asked; the last ones are psycopg's own.
_ASKING = ("execute", "executemany", "copy_from", "copy_expert", "callproc")
_HOOKS = ("precommit", "postcommit", "prerollback", "postrollback")


@dataclass
class Rehearsal:
    """What a rehearsal has seen, complete when its `with` block has ended.

    :param side_effects: plain JSON: `emails`, `activities`, `messages`, `sms`, `letters`, `webhooks`,
        `outside_services`; only those that would have happened, lists of at most 20 and the `…_count` of longer ones
    """

    side_effects: dict[str, object] = field(default_factory=dict)


@contextlib.contextmanager
def rehearsed(env: Environment) -> Iterator[Rehearsal]:
    """Run the block for real, report what would have left Odoo, and roll everything back.

    Constraints and computations that Odoo leaves until the end of the transaction run too, so that a rehearsal fails
    where the real call would.

    :raises ToolError: `cannot_rehearse`, when the block needs the answer of another server
    """
    rehearsal = Rehearsal()
    with muted() as outgoing, _held(env.cr), _restoring(env, keep=False):
        before = side_effects.newest_ids(env)
        try:
            yield rehearsal
            env.cr.flush()
        except OSError as error:
            if (muted_error := _muted_cause(error)) is None:
                raise
            raise ToolError(
                "cannot_rehearse",
                f"This cannot be tried without contacting {muted_error.host}, which a dry run does not do.",
                fix="Nothing was changed. Ask the user whether to run it for real, without dry_run.",
            ) from error
        rehearsal.side_effects = side_effects.since(env, before, outgoing)


def _muted_cause(error: BaseException | None) -> OutgoingMuted | None:
    """Return the refused connection that an error comes from: libraries wrap it in errors of their own."""
    while error is not None and not isinstance(error, OutgoingMuted):
        error = error.__cause__ or error.__context__
    return error


def preview(call, result: ToolResult, difference: Sequence[dict], rehearsal: Rehearsal) -> ToolResult:
    """Return what a rehearsed call tells: its result, the difference it would make, and what would leave Odoo."""
    structured = {
        "status": "dry_run",
        "result": dict(result.structured),
        "changes": list(difference[:MOST_CHANGES]),
        "changes_count": len(difference),
        "side_effects": rehearsal.side_effects,
    }
    lines = ["Dry run: everything below was tried and rolled back; ids of new records are not real."]
    lines += [result.text] if result.text else []
    lines += [_effect_line(kind, found) for kind, found in rehearsal.side_effects.items() if isinstance(found, list)]
    lines += [] if rehearsal.side_effects else ["No e-mail, activity or message would follow."]
    return ToolResult(structured, text="\n".join(lines), content=result.content, meta=result.meta)


def _effect_line(kind: str, found: Sequence) -> str:
    if kind == "emails":
        recipients = sorted({address for email in found for address in email["to"]})
        return f"Would send {len(found)} e-mail(s) to {', '.join(recipients) or 'nobody'}."
    return f"Would cause {kind.replace('_', ' ')}: {len(found)}."


@contextlib.contextmanager
def reading(env: Environment) -> Iterator[None]:
    """Run the block in a savepoint in which PostgreSQL refuses every write.

    What the block leaves to be computed and stored is flushed inside, so that it cannot slip out with the commit.
    """
    with _unable_to_write(env) as is_open:
        yield
    # Not without waiting for the disk: this may be a part of something that writes, such as a step of a batch.
    if is_open():
        env.cr.execute(_END_OF_READING)


@contextlib.contextmanager
def reading_until_logged(env: Environment, seconds: int | None = None) -> Iterator[None]:
    """As `reading`, but where the block has asked it anything PostgreSQL goes on refusing: what ends that is sent with
    the audit row, which has to follow.

    :param seconds: for one statement; None: as the setting says
    """
    with _unable_to_write(env, seconds) as is_open:
        yield
    # What follows only reports the read, so its commit need not wait for the disk.
    ending = [_END_OF_READING] if is_open() else []
    env.cr.postcommit.data[_UNSENT] = "; ".join([*ending, WITHOUT_WAITING])


@contextlib.contextmanager
def _unable_to_write(env: Environment, seconds: int | None = None) -> Iterator[Callable[[], bool]]:
    """Run the block as a read; the savepoint is left open.

    :return: says whether there is one: the first query opens it, and much is answered from memory
    """
    cr = env.cr
    cr.flush()
    if seconds is None:
        seconds = env["mcp.limits"]._settings().read_seconds
    hooks = _remembered_hooks(cr)
    with _opened_by_first_query(cr, seconds) as is_open:
        try:
            yield is_open
            cr.flush()
        except BaseException:
            cr.clear()
            if is_open():
                cr.execute("ROLLBACK TO SAVEPOINT mcp_reading; RELEASE SAVEPOINT mcp_reading")
            _reset_hooks(cr, hooks)
            raise


@contextlib.contextmanager
def _opened_by_first_query(cr: BaseCursor, seconds: int) -> Iterator[Callable[[], bool]]:
    plain = cr.execute
    timeout = SQL("%s", seconds * 1000) if seconds else SQL("DEFAULT")
    # One round trip. Inner savepoints of the same name hide outer ones, so it can nest.
    opening = [SQL("SAVEPOINT mcp_reading; SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = %s", timeout)]

    def opened(ask: Callable) -> Callable:
        def asked(*args, **kwargs):
            if opening:
                plain(opening[0])
                opening.clear()
            return ask(*args, **kwargs)

        return asked

    with replaced(cr, **{name: opened(getattr(cr, name)) for name in _ASKING}):
        yield lambda: not opening


def unsent(cr: BaseCursor) -> str:
    """Return the statements that end a read and wait for the next one; the caller sends them. Empty for none."""
    return cr.postcommit.data.pop(_UNSENT, "")


@contextlib.contextmanager
def changing(env: Environment) -> Iterator[None]:
    """Run the block in a savepoint; if it raises, take back its rows, callbacks and cache entries as well."""
    with _held(env.cr), _restoring(env, keep=True):
        yield


@contextlib.contextmanager
def _restoring(env: Environment, *, keep: bool) -> Iterator[None]:
    cr, registry = env.cr, env.registry
    savepoint = cr.savepoint()  # flushes first: what was pending outside stays outside
    hooks = _remembered_hooks(cr)
    invalidated = set(registry.cache_invalidated)
    kept = False
    try:
        yield
        if keep:
            savepoint.close(rollback=False)
            kept = True
    finally:
        if not kept:
            savepoint.close(rollback=True)
            if cr.postrollback.data.get(EXTERNAL_IDS_MADE):
                # Odoo writes them straight into the cache: an import tried before would seem done.
                registry.cache_invalidated.add("default")
            _reset_hooks(cr, hooks)
            # Odoo's caches do not take part in a savepoint: has_group() would remember a group never granted.
            registry.reset_changes()
            registry.cache_invalidated.update(invalidated)


def _remembered_hooks(cr: BaseCursor) -> dict[str, tuple[list, dict]]:
    hooks = {name: getattr(cr, name) for name in _HOOKS}
    return {
        name: (list(hook._funcs), {key: (value, _copied(value)) for key, value in hook.data.items()})
        for name, hook in hooks.items()
    }


def _copied(value: object) -> object:
    match value:
        case dict():
            fresh = copy.copy(value)
            fresh.update((key, _copied(inner)) for key, inner in value.items())
            return fresh
        case list() | set() | deque():
            return copy.copy(value)
        case OrderedSet():
            # `copy.copy` of it is the same set.
            return OrderedSet(value)
    return value


def _reset_hooks(cr: BaseCursor, hooks: dict[str, tuple[list, dict]]) -> None:
    for name, (functions, data) in hooks.items():
        hook = getattr(cr, name)
        hook.clear()
        hook._funcs.extend(functions)
        hook.data.update({key: _refilled(value, was) for key, (value, was) in data.items()})


def _refilled(value: object, was: object) -> object:
    """Return a container with what it held before; the same object, because callbacks hold on to it."""
    match value:
        case dict() | set() | OrderedSet():
            value.clear()
            value.update(was)
        case list() | deque():
            value.clear()
            value.extend(was)
    return value


@contextlib.contextmanager
def _held(cr: BaseCursor) -> Iterator[None]:
    """Keep the block from ending the transaction: a commit only flushes, a rollback is refused.

    Some of Odoo's buttons commit between two steps. In a tool call everything is committed once, at the end, with the
    audit row; a commit before that would make a rehearsal real and a retried request act twice.
    """

    def refuse() -> None:
        raise ToolError("not_possible", "This action rolls back its own transaction and cannot run as a tool call.")

    with replaced(cr, commit=cr.flush, rollback=refuse):
        yield
