from . import (
    file_links,
    ir_http,
    mail_message,
    mail_mute,
    mcp_audit_log,
    mcp_auth_failure,
    mcp_change,
    mcp_change_revert,
    mcp_egress,
    mcp_idempotency,
    mcp_oauth_client,
    mcp_oauth_server,
    mcp_policy,
    mcp_profile,
    mcp_prompt,
    mcp_resource,
    mcp_server,
    mcp_session,
    mcp_token,
    mcp_token_wizard,
    mcp_tool_registry,
    res_config_settings,
    res_users,
    storage_mute,
    tools,
)

# isort: split
# These extend the models above, which must be known first.
from . import (
    completion,
    mcp_token_rotate,
    mcp_token_rotation,
    prompt_methods,
    resources,
)
