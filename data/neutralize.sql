-- A copy of the database must not accept what was issued for the original, nor act for its clients.
UPDATE mcp_token SET revoked_at = (now() AT TIME ZONE 'UTC') WHERE revoked_at IS NULL;
DELETE FROM mcp_oauth_code;
DELETE FROM mcp_oauth_access;
DELETE FROM mcp_oauth_refresh;
UPDATE mcp_identity_provider SET active = FALSE;
UPDATE mcp_oauth_client SET blocked = TRUE, secret_digest = NULL;
UPDATE mcp_job SET state = 'cancelled', claim = NULL, lease_until = NULL WHERE state IN ('queued', 'running', 'needs_input');
DELETE FROM ir_config_parameter WHERE key IN ('mcp_endpoint.issuer', 'mcp_endpoint.api_keys', 'mcp_endpoint.redis_url');
