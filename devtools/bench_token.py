"""What checking a token takes, timed inside Odoo: by HTTP it is less than what one call differs from the next."""

import json

from . import databases
from .console import Failure

WARM_UP = 30
# What `auth="mcp"` does for a request beyond reading its header: the row, the user, the user's groups. Each time in a
# transaction of its own, as requests have it.
SCRIPT = """
import json, os, time
asked = json.loads(os.environ["MCP_DEV_TOKENS"])
times = {kind: [] for kind in asked["secrets"]}
for number in range(asked["warm_up"] + asked["calls"]):
    for kind, secret in asked["secrets"].items():
        env.cr.rollback()
        start = time.perf_counter()
        state = env["mcp.token"]._find(secret)
        assert state.refusal is None and env(user=state.user_id, su=False).user._has_mcp_group()
        took = (time.perf_counter() - start) * 1000
        if number >= asked["warm_up"]:
            times[kind].append(took)
print("TIMES:" + json.dumps(times))
"""


def rows(database, calls, secrets):
    """Milliseconds of each check, for each kind in `secrets`, in turns."""
    asked = json.dumps({"secrets": secrets, "calls": calls, "warm_up": WARM_UP})
    output = databases.shell(database, SCRIPT, capture=True, MCP_DEV_TOKENS=asked)
    for line in output.splitlines():
        if line.startswith("TIMES:"):
            return {f"check of {kind}": times for kind, times in json.loads(line.partition(":")[2]).items()}
    raise Failure(f"No token could be checked: {output[-500:]}")
