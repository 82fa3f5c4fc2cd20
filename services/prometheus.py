"""Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@dataclass(frozen=True)
class Family:
    """One metric: its samples are `(labels, value)`, or `(suffix, labels, value)` for the parts of a histogram."""

    name: str
    kind: str
    help: str
    samples: list[tuple] = field(default_factory=list)


def histogram(name: str, text: str, bounds: Iterable[float], counts: Mapping[float, float], total: float) -> Family:
    """Return a histogram.

    :param counts: how many fell into the class that ends at a bound; what is above all bounds is under infinity
    :param total: the sum of all observed values
    """
    samples = []
    running = 0.0
    for bound in bounds:
        running += counts.get(bound, 0)
        samples.append(("_bucket", {"le": _number(bound)}, running))
    running += counts.get(float("inf"), 0)
    samples += [("_bucket", {"le": "+Inf"}, running), ("_sum", {}, total), ("_count", {}, running)]
    return Family(name, "histogram", text, samples)


def text(families: Iterable[Family]) -> str:
    """Return what a scrape answers."""
    lines = []
    for family in families:
        lines.append(f"# HELP {family.name} {family.help}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for sample in family.samples:
            suffix, labels, value = sample if len(sample) == 3 else ("", *sample)
            named = ",".join(f'{name}="{str(value).translate(_ESCAPES)}"' for name, value in labels.items())
            lines.append(f"{family.name}{suffix}{f'{{{named}}}' if named else ''} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(round(float(value), 6))
