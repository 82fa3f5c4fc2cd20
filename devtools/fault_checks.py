"""What must hold after something broke, looked for in the database and at the endpoint."""

import time

from . import fault_load, postgres

TRIGGER = "test_trigger_tool_change"
CHANGED = "notifications/tools/list_changed"
# The evented process is started again and loads the database, on a busy machine slowly.
STREAM_PATIENCE = 60
# A job whose worker was killed is found when its lease is over and Odoo looks for work: it does once a minute.
JOB_PATIENCE = 180


def problems(fixture, load):
    """Sentences about what does not hold."""
    found = [*_writes(fixture, load), *_truth(fixture, load.mark), *_idle(fixture)]
    if load.abandoned:
        found.append(f"{len(load.abandoned)} writes were not answered within {fault_load.PATIENCE} s")
    return found


def stream_problems(fixture, before):
    """The same about streams: `before` was open when it broke, and either ended or goes on to tell."""
    deadline = time.monotonic() + STREAM_PATIENCE
    while True:
        try:
            after = fault_load.listening(fixture, toolsListChanged=True)
            break
        except (OSError, TimeoutError) as error:
            if time.monotonic() > deadline:
                return [f"no new stream within {STREAM_PATIENCE} s: {error}"]
            time.sleep(0.2)
    found = []
    try:
        if fault_load.called(fixture, TRIGGER, {}) is None:
            found.append("the change to be told of could not be made")
        for stream, name in ((after, "a new stream"), (before, "the stream from before")):
            if stream is not None and not _tells(stream):
                found.append(f"{name} is stuck: it tells nothing and does not end")
    finally:
        after.close()
    return found


def job_problems(fixture, job):
    """Sentences about a job that was queued before, which has to come to its end."""
    deadline = time.monotonic() + JOB_PATIENCE
    row = None
    while time.monotonic() < deadline:
        told = fault_load.called(fixture, "odoo_list_jobs", {"id": job, "kind": "job"})
        row = told["jobs"][0] if told else row
        if row and row["status"] in ("done", "failed", "cancelled"):
            return [] if row["status"] == "done" else [f"the job is {row['status']}"]
        time.sleep(0.5)
    return [f"the job is stuck: {row}"]


def _tells(stream):
    """Whether it tells of the change, or has ended."""
    try:
        stream.wait_for(lambda message: message.get("method") == CHANGED, 10)
    except ConnectionError:
        return True
    except TimeoutError:
        return stream.has_ended
    return True


def _writes(fixture, load):
    """Each answered write is there once; none is there twice."""
    rows = postgres.query(
        f"SELECT name, count(*) FROM res_partner WHERE name LIKE '{load.mark} %' GROUP BY name", fixture.database
    )
    counts = {name: int(count) for name, count in rows}
    lost = [name for name in load.written if name not in counts]
    doubled = [name for name, count in counts.items() if count > 1]
    if lost:
        yield f"{len(lost)} writes are lost: {lost[:5]}"
    if doubled:
        yield f"{len(doubled)} writes are doubled: {doubled[:5]}"


def _truth(fixture, mark):
    """The audit log and the change journal say what is there, and nothing else."""
    made = f"SELECT id FROM res_partner WHERE name LIKE '{mark} write %'"
    said = (
        "SELECT unnest(string_to_array(record_ids, ','))::int FROM mcp_audit_log"
        " WHERE tool = 'odoo_create_records' AND model = 'res.partner' AND outcome = 'ok'"
    )
    noted = "SELECT res_id FROM mcp_change WHERE model = 'res.partner' AND operation = 'create'"
    for sentence, sql in (
        ("records are in no audit row", f"{made} EXCEPT {said}"),
        ("audit rows name records that are not there", f"{said} EXCEPT SELECT id FROM res_partner"),
        ("records are in no change", f"{made} EXCEPT {noted}"),
        ("records have two changes", f"{noted} AND res_id IN ({made}) GROUP BY res_id HAVING count(*) > 1"),
    ):
        ((count,),) = postgres.query(f"SELECT count(*) FROM ({sql}) AS found", fixture.database)
        if count != "0":
            yield f"{count} {sentence}"


def _idle(fixture):
    """No transaction was left open."""
    rows = postgres.query(
        f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{fixture.database}'"
        " AND state LIKE 'idle in transaction%' AND state_change < now() - interval '10 s'"
    )
    if rows[0][0] != "0":
        yield f"{rows[0][0]} transactions were left open"
