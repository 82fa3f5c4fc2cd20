"""A part of a call that may fail without failing the call."""

import contextlib
from collections.abc import Iterator

from .rehearsal import changing


@contextlib.contextmanager
def attempt(call) -> Iterator[None]:
    """Run the block in a savepoint; if it raises, take back its effects and what the call has noted of them."""
    journal = call.journal
    entries, ids, touched = len(journal.entries), len(journal.ids), list(call.record_ids)
    try:
        with changing(call.env):
            yield
    except BaseException:
        del journal.entries[entries:], journal.ids[ids:]
        call.record_ids = touched
        raise
