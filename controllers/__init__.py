from . import (
    confirmation,
    database_routing,
    doctor,
    downloads,
    health,
    mcp,
    oauth_authorize,
    oauth_discovery,
    oauth_dispatcher,
    oauth_register,
    oauth_token,
    portal_tokens,
)
