"""Files that the processes of one machine share: a worker's own memory is not enough, a database too slow.

They hold nothing of value: counters and locks, gone with the machine's next start. A file that somebody else has put
in our place is not used.
"""

from __future__ import annotations

import os
import stat
import tempfile

# In memory where there is such a place, and not cleaned of what looks old.
_FOLDERS = ("/dev/shm", tempfile.gettempdir())


def open_shared(name: str, size: int = 0) -> int | None:
    """Return a descriptor of this user's file `name`, made of `size` zero bytes if it is new.

    :returns: None where there is no place for it; the caller then keeps to its own process
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    owner = os.getuid() if hasattr(os, "getuid") else 0
    for folder in _FOLDERS:
        try:
            descriptor = os.open(os.path.join(folder, f"odoo-mcp-{owner}-{name}"), flags, 0o600)
        except OSError:
            continue
        found = os.fstat(descriptor)
        is_ours = stat.S_ISREG(found.st_mode) and found.st_uid == owner and not found.st_mode & 0o077
        if is_ours and found.st_size in (0, size) and _reserve(descriptor, size - found.st_size):
            return descriptor
        os.close(descriptor)
    return None


def _reserve(descriptor: int, missing: int) -> bool:
    """Give the file its bytes now: where memory is full, a mapping without them would kill the process later."""
    if not missing:
        return True
    try:
        os.posix_fallocate(descriptor, 0, missing)
    except OSError:
        return False
    return True
