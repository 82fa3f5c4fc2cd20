from . import downloads, mcp, oauth_dispatcher, oauth_token, portal_tokens
