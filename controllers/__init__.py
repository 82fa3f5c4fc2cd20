from . import downloads
from . import mcp
