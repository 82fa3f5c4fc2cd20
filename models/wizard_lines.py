"""What an x2many field of an open form holds: lines that exist, lines still to be created, and edits on both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from odoo.fields import Command


@dataclass
class Line:
    """One line. A new one has no id yet and is known by a key that `onchange` gave it."""

    key: int | str
    is_new: bool
    held: dict[str, object]
    edits: dict[str, object] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, object]:
        return {**self.held, **self.edits}


class Lines:
    """The lines of one field, changed by commands as `onchange` returns them and given back as commands."""

    def __init__(self, commands: Iterable[Sequence] = ()) -> None:
        self.lines: dict[int | str, Line] = {}
        # Lines of an existing record that have to be taken out of it when it is saved.
        self.removed: list[tuple[int, int, int]] = []
        self.apply(commands)

    def apply(self, commands: Iterable[Sequence]) -> None:
        for command in commands:
            kind, key = command[0], command[1] if len(command) > 1 else 0
            content = command[2] if len(command) > 2 else 0
            values = dict(content) if isinstance(content, Mapping) else {}
            if kind == Command.CREATE:
                key = key or f"new_{len(self.lines) + 1}"
                self.lines[key] = Line(key, True, values)
            elif kind == Command.UPDATE and key in self.lines:
                self.lines[key].edits |= values
            elif kind == Command.UPDATE:
                self.lines[key] = Line(key, False, {}, values)
            elif kind == Command.LINK:
                self.lines.setdefault(key, Line(key, False, values))
            elif kind in (Command.DELETE, Command.UNLINK):
                self._remove(kind, key)
            else:
                self._keep(content if kind == Command.SET else ())

    def commands(self) -> list[tuple]:
        """Return the lines as commands for `onchange`, `create` and `write`."""
        result: list[tuple] = list(self.removed)
        for line in self.lines.values():
            if line.is_new:
                result.append((Command.CREATE, line.key, {k: v for k, v in line.shown.items() if k != "id"}))
                continue
            result.append(Command.link(line.key))
            if line.edits:
                result.append(Command.update(line.key, dict(line.edits)))
        return result

    def _remove(self, kind: int, key: int | str) -> None:
        line = self.lines.pop(key, None)
        if line is not None and not line.is_new:
            self.removed.append((kind, key, 0))

    def _keep(self, ids: Sequence[int]) -> None:
        for key in [key for key, line in self.lines.items() if line.is_new or key not in ids]:
            self._remove(Command.UNLINK, key)
        for key in ids:
            self.lines.setdefault(key, Line(key, False, {"id": key}))
