"""What listens on a port of this machine, and the addresses that follow from it."""


class Listener:
    """Mixed into a class that has a `port`."""

    @property
    def base(self):
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self):
        """The MCP endpoint's URL."""
        return f"{self.base}/mcp"
