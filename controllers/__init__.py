from . import downloads, mcp, oauth_dispatcher, portal_tokens
