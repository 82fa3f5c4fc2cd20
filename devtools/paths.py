"""Where things are: the repository, and the one folder that holds all state of ./dev."""

import hashlib
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = Path(os.environ.get("MCP_DEV_STATE") or ROOT / ".dev").absolute()
ADDON = "mcp_endpoint"
ADDONS = STATE / "addons"
FIXTURES = ROOT / "tests" / "addons"
REQUIREMENTS = ROOT / "devtools" / "requirements"
LOGS = STATE / "logs"
DATA = STATE / "data"
RUN = STATE / "run"
LOCKS = STATE / "locks"


def prepare():
    """Create the state folder and the link that makes the repository an addon."""
    for folder in (STATE, ADDONS, LOGS, DATA, RUN, LOCKS):
        folder.mkdir(parents=True, exist_ok=True)
    link = ADDONS / ADDON
    if not link.is_symlink() or os.readlink(link) != str(ROOT):
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT)


def short_folder():
    """A folder name under /tmp for what has a path length limit, one per state folder and user."""
    key = hashlib.sha256(f"{STATE}:{os.getuid()}".encode()).hexdigest()[:10]
    return Path("/tmp") / f"mcp-dev-{key}"
