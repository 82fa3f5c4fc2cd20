"""Reading Odoo's log: its error records, with their tracebacks."""

import re

RECORD = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ (\w+) ")


def error_records(text):
    """The records at ERROR or CRITICAL."""
    records, keep = [], False
    for line in text.splitlines():
        match = RECORD.match(line)
        if match:
            keep = match[1] in ("ERROR", "CRITICAL")
            if keep:
                records.append(line)
        elif keep:
            records[-1] += f"\n{line}"
    return records


def told(record):
    """An error record in a line: what it is about, and how its traceback ends."""
    lines = record.strip().splitlines()
    about = RECORD.sub("", lines[0]).partition(": ")[2] or lines[0]
    return about if len(lines) == 1 else f"{about} · {lines[-1].strip()}"


def reason(file, lines=12):
    """Why Odoo ended: the end of the last error record, or of the whole log when there is none."""
    text = file.read_text(errors="replace")
    records = error_records(text)
    return "\n".join((records[-1] if records else text).strip().splitlines()[-lines:])
