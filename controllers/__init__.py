from . import downloads, mcp, oauth_dispatcher
