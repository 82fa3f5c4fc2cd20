"""Throughput: as many calls as 1, 4 and 16 clients get through, ours and /json/2 in turns."""

import threading
import time

from . import bench_wire

CLIENTS = (1, 4, 16)
SECONDS = 3
ROUNDS = 3


def measured(plan, ours, json2):
    """{clients: {"ours": calls per second, "json2": …}}, over a few rounds each."""
    result = {}
    for clients in CLIENTS:
        done = {"ours": 0, "json2": 0}
        took = dict.fromkeys(done, 0.0)
        for _round in range(ROUNDS):
            for name, request in (("ours", ours), ("json2", json2)):
                calls, seconds = _run(plan["base"], request, clients)
                done[name] += calls
                took[name] += seconds
        result[str(clients)] = {name: round(done[name] / took[name], 1) for name in done}
    return result


def _run(base, request, clients):
    """How many answers came in the time, and the time it took."""
    counts, failures = [0] * clients, []
    start = time.perf_counter()

    def work(number):
        wire = bench_wire.Wire(base)
        try:
            while time.perf_counter() - start < SECONDS:
                wire.send(request)
                counts[number] += 1
        except (OSError, RuntimeError) as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return sum(counts), time.perf_counter() - start
