"""What many open streams cost: `subscriptions/listen` through nginx, held by the evented process, opened and closed."""

import asyncio
import os
import statistics
import time
from pathlib import Path

from . import bench_wire, databases, fault_actions, fault_load, fixture_server, postgres

STREAMS = 500
ROUNDS = 10
CALLS = 200
QUIET_SECONDS = 5
CONNECTS = 10_000
WARM_UP = 1_000
AT_ONCE = 25
PATIENCE = 30
# Seconds: longer than the server needs to find who has gone, and than its heartbeat.
SETTLING = 20
TRIGGER = "test_trigger_tool_change"
ACKNOWLEDGED, CHANGED = b"subscriptions/acknowledged", b"tools/list_changed"


class Stream:
    """One client that listens; it notes when it heard of a change."""

    def __init__(self):
        self.heard = asyncio.Event()
        self.heard_at = 0.0

    async def open(self, port, request):
        """Connect and wait for the acknowledgement."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(request)
        await asyncio.wait_for(self._until(ACKNOWLEDGED), PATIENCE)
        return self

    async def listen(self):
        """Go on until it ends."""
        while await self._until(CHANGED):
            self.heard_at = time.perf_counter()
            self.heard.set()

    def close(self):
        """Leave without a word."""
        self._writer.transport.abort()

    async def _until(self, wanted):
        while line := await self._reader.readline():
            if wanted in line:
                return True
        if wanted is ACKNOWLEDGED:
            raise ConnectionError("The stream ended before it was acknowledged.")
        return False


def measured(streams=STREAMS, connects=CONNECTS, warm_up=WARM_UP):
    """The figures, on a server of their own."""
    with fixture_server.running("benchstreams") as fixture:
        most = 4 * streams
        databases.set_limits(fixture.database, streams=most, streams_token=most, streams_user=most)
        fixture.restart()
        return asyncio.run(_measure(fixture, streams, connects, warm_up))


async def _measure(fixture, streams, connects, warm_up):
    # Twice: what is loaded once is no cost of a stream.
    await _closed(await _opened(fixture, 20))
    before = _p50(fixture)
    idle = _resources(fixture)
    started = time.perf_counter()
    held = await _opened(fixture, streams)
    opened_in = time.perf_counter() - started
    busy = _cpu_of_workers(fixture)
    await asyncio.sleep(QUIET_SECONDS)
    busy = _cpu_of_workers(fixture) - busy
    full = _resources(fixture)
    told = [await _tell(fixture, held) for _round in range(ROUNDS)]
    during = await asyncio.to_thread(_p50, fixture)
    await _closed(held)
    after = _p50(fixture)
    return {
        "streams": streams, "opened_in": opened_in,
        "kb_each": (full["memory"] - idle["memory"]) / streams,
        "workers_busy_ms": busy * 1000 / QUIET_SECONDS,
        "told_median": statistics.median(told), "told_worst": max(told),
        "p50_without": (before + after) / 2, "p50_with": during,
        "leaks": await _leaks(fixture, connects, warm_up),
    }


async def _leaks(fixture, connects, warm_up):
    """What is left of clients that came and went."""
    await _come_and_go(fixture, warm_up)
    before = await _settled(fixture)
    started = time.perf_counter()
    await _come_and_go(fixture, connects)
    took = time.perf_counter() - started
    after = await _settled(fixture)
    return {"connects": connects, "seconds": took, **{name: after[name] - before[name] for name in after}}


async def _come_and_go(fixture, times):
    for done in range(0, times, AT_ONCE):
        await _closed(await _opened(fixture, min(AT_ONCE, times - done)))


async def _settled(fixture):
    """What is in use once everything has noticed who has gone."""
    await asyncio.sleep(SETTLING)
    return _resources(fixture)


async def _opened(fixture, count):
    request = _request(fixture)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one():
        async with gate:
            stream = await Stream().open(fixture.proxy.port, request)
        stream.task = asyncio.create_task(stream.listen())
        return stream

    return await asyncio.gather(*(one() for _number in range(count)))


async def _closed(streams):
    for stream in streams:
        stream.close()
    await asyncio.gather(*(stream.task for stream in streams), return_exceptions=True)


async def _tell(fixture, streams):
    """Seconds from asking for a change until the last stream has heard of it."""
    for stream in streams:
        stream.heard.clear()
    started = time.perf_counter()
    done = await asyncio.to_thread(fault_load.called, fixture, TRIGGER, {})
    if done is None:
        raise RuntimeError(f"{TRIGGER} fails")
    await asyncio.wait_for(asyncio.gather(*(stream.heard.wait() for stream in streams)), PATIENCE)
    return max(stream.heard_at for stream in streams) - started


def _p50(fixture):
    """Milliseconds of an ordinary call, directly at Odoo."""
    wire = bench_wire.Wire(fixture.server.base)
    arguments = {"model": "res.partner", "fields": ["name"], "limit": 20}
    request = bench_wire.rpc("tools/call", fixture.token, name="odoo_search_records", arguments=arguments)
    times = []
    for number in range(CALLS + 30):
        started = time.perf_counter()
        wire.send(request)
        if number >= 30:
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def _request(fixture):
    """The bytes that open a stream."""
    method, path, body, headers = bench_wire.rpc(
        "subscriptions/listen", fixture.token, notifications={"toolsListChanged": True}
    )
    sent = {"Host": f"127.0.0.1:{fixture.proxy.port}", "Content-Length": len(body), **headers}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _resources(fixture):
    """What the evented process and PostgreSQL hold: KB of its own memory, descriptors, connections."""
    pid = fault_actions.evented_process(fixture)
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
    connections = postgres.query(f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{fixture.database}'")
    return {
        "memory": private, "descriptors": len(os.listdir(f"/proc/{pid}/fd")), "connections": int(connections[0][0]),
    }


def _cpu_of_workers(fixture):
    """Seconds of processor time that the HTTP workers have used."""
    ticks = 0
    for pid in fault_actions.http_workers(fixture):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")
