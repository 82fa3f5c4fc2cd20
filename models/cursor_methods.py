import contextlib
from collections.abc import Callable, Iterator

from odoo.sql_db import BaseCursor


@contextlib.contextmanager
def replaced(cr: BaseCursor, **functions: Callable) -> Iterator[None]:
    """Give one cursor other methods for the time of a block. Blocks can be nested."""
    outer = {name: cr.__dict__[name] for name in functions if name in cr.__dict__}
    cr.__dict__.update(functions)
    try:
        yield
    finally:
        for name in functions:
            del cr.__dict__[name]
        cr.__dict__.update(outer)
