"""What is already done: a stamp per step holding the digest of what it was done from."""

import contextlib
import fcntl
import hashlib
import json

from . import paths


def digest(*parts):
    """A short hash of strings, bytes, numbers and JSON-able containers."""
    sha = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else json.dumps(part, sort_keys=True, default=str).encode()
        sha.update(len(data).to_bytes(8, "big") + data)
    return sha.hexdigest()[:16]


def is_done(name, key):
    """Whether step `name` was completed from exactly `key`."""
    file = paths.STATE / "stamps" / name
    return file.exists() and file.read_text() == key


def mark_done(name, key):
    """Record that step `name` was completed from `key`."""
    file = paths.STATE / "stamps" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(key)


@contextlib.contextmanager
def lock(name):
    """Hold a lock between processes, so that two ./dev at once don't build the same thing."""
    paths.LOCKS.mkdir(parents=True, exist_ok=True)
    with open(paths.LOCKS / name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
