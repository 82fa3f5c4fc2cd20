from . import downloads, mcp, oauth_authorize, oauth_dispatcher, oauth_token, portal_tokens
