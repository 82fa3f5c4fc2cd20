from . import (
    database_routing,
    doctor,
    downloads,
    mcp,
    oauth_authorize,
    oauth_discovery,
    oauth_dispatcher,
    oauth_register,
    oauth_token,
    portal_tokens,
)
