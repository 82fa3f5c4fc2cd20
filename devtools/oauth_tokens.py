"""An OAuth access token made in the database, as a login would make it."""

from . import databases

SCRIPT = """
user = env["res.users"].search([("login", "=", "%(login)s")])
client = env["mcp.oauth.client"].create({"name": "%(name)s", "redirect_uris": "https://client.example/callback"})
profile = env.ref("mcp_endpoint.profile_%(profile)s")
scopes = ("mcp:read", "mcp:write")
grant = env["mcp.token"]._open_grant(user, client, profile, scopes, env["mcp.oauth.server"]._resource())
print("ACCESS:" + env["mcp.oauth.access"]._issue(grant, scopes)[0])
env.cr.commit()
"""


def issue(database, login, *, name="./dev", profile="full"):
    """A new access token in clear. It is for the address that the database has when it is made."""
    script = SCRIPT % {"login": login, "name": name, "profile": profile}
    output = databases.shell(database, script, capture=True)
    return next(line.partition(":")[2] for line in output.splitlines() if line.startswith("ACCESS:"))
