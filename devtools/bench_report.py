"""Figures into percentiles, percentiles into verdicts on the budgets, both into a table."""

from dataclasses import asdict, dataclass

FLOOR = "HTTP floor: /web/health"
JSON2 = "Odoo's /json/2 search_read"
LIST_BUDGET = 18_000


@dataclass(frozen=True)
class Verdict:
    """One budget: what was measured, what is allowed, whether it holds."""

    budget: str
    value: str
    limit: str
    met: bool


def judged(measured):
    """The report: rows as percentiles, and one verdict per budget."""
    rows = {name: _percentiles(times) for name, times in measured["rows"].items()}
    return {**measured, "rows": rows, "verdicts": [asdict(verdict) for verdict in _verdicts(rows, measured)]}


def is_met(report):
    """Whether all budgets hold."""
    return all(verdict["met"] for verdict in report["verdicts"])


def as_text(report):
    """The report for a person."""
    lines = [
        f"{report['calls']} calls per row after warm-up; {report['machine']}, load before: {report['load_before']}", "",
        f"{'what':44} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8}",
    ]
    for name, row in report["rows"].items():
        lines.append(f"{name:44} {row['p50']:8.2f} {row['p95']:8.2f} {row['p99']:8.2f}")
    lines += ["", f"{'size of tools/list':44} {'tools':>8} {'characters':>11}"]
    lines += [f"{name:44} {size['tools']:8} {size['characters']:11,}" for name, size in report["list_sizes"].items()]
    lines += ["", f"{'calls per second on 2 workers':44} {'search':>8} {'/json/2':>8}"]
    for count, row in report["throughput"].items():
        lines.append(f"{count + ' clients':44} {row['ours']:8.1f} {row['json2']:8.1f}")
    lines += ["", f"{'budget':68} {'measured':>10} {'allowed':>12}"]
    lines += [
        f"{item['budget']:68} {item['value']:>10} {item['limit']:>12}  {'OK' if item['met'] else 'MISSED'}"
        for item in report["verdicts"]
    ]
    missed = sum(not item["met"] for item in report["verdicts"])
    return "\n".join([*lines, "", f"{missed} budgets missed" if missed else "all budgets met"])


def _percentiles(times):
    ordered = sorted(times)
    return {
        f"p{percent}": round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 3)
        for percent in (50, 95, 99)
    } | {"calls": len(ordered)}


def _verdicts(rows, measured):
    p50 = {name: row["p50"] for name, row in rows.items()}
    search, floor, json2 = p50["search"], p50[FLOOR], p50[JSON2]
    ours = p50["client: search"]
    rival = min(value for name, value in p50.items() if name.startswith("client: mcp-server-odoo"))
    yield _at_most("search ÷ /json/2", search / json2, 0.6)
    yield _at_most("the same, both above the HTTP floor", (search - floor) / (json2 - floor), 0.5)
    yield _at_least("mcp-server-odoo ÷ search (its faster mode, official client)", rival / ours, 3)
    yield _at_least("odoo-mcp-gateway ÷ search (official client)", p50["client: odoo-mcp-gateway"] / ours, 1.2)
    above = p50["tools/list"] - floor
    yield Verdict("tools/list above the HTTP floor", f"{above:.2f} ms", "≤ 1 ms", above <= 1)
    for kind in ("a personal token", "an access token"):
        took = p50[f"check of {kind}"]
        yield Verdict(f"check of {kind}, inside Odoo", f"{took:.2f} ms", "≤ 1 ms", took <= 1)
    for name in ("completion, model", "completion, record", "completion, prompt"):
        above = p50[name] - floor
        yield Verdict(f"{name} above the HTTP floor", f"{above:.2f} ms", "≤ 3 ms", above <= 3)
    yield _at_least("describe, cold ÷ warm schema cache", p50["describe, cold"] / p50["describe, warm"], 4)
    logged = p50["search, 1,000,000 audit rows"] / p50["search, empty audit log"]
    yield _at_most("search with 1,000,000 audit rows ÷ without", logged, 1.1)
    size = measured["list_sizes"]["mcp_endpoint"]["characters"]
    yield Verdict("size of tools/list", f"{size:,}", f"≤ {LIST_BUDGET:,}", size <= LIST_BUDGET)


def _at_most(budget, value, limit):
    return Verdict(budget, f"{value:.2f} ×", f"≤ {limit} ×", value <= limit)


def _at_least(budget, value, limit):
    return Verdict(budget, f"{value:.1f} ×", f"≥ {limit} ×", value >= limit)
