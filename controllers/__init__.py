from . import downloads, mcp
