# Run in `odoo shell` by tokens.py: mint what MCP_DEV_TOKENS asks for, print one line for each.
import json
import os

from odoo.exceptions import UserError


def chosen_profile(user, wanted):
    """The profile of that name (or the end of its external id) among those open to the user."""
    available = env["mcp.profile"]._available_to(user)
    names = {profile.id: profile.get_external_id()[profile.id] for profile in available}
    for profile in available:
        if wanted.lower() in (profile.name.lower(), names[profile.id].rpartition("profile_")[2]):
            return profile
    raise UserError(f"{user.login} may choose from these profiles: {', '.join(available.mapped('name'))}.")


def mint(wanted):
    """Issue one token in the user's own environment, as a request of theirs has it."""
    user = env["res.users"].search([("login", "=", wanted["login"])])
    if not user:
        raise UserError(f"There is no user with the login {wanted['login']}.")
    profile = chosen_profile(user, wanted["profile"]) if wanted["profile"] else None
    own = env(user=user.id, su=False, context={})
    own.transaction.default_env = own
    return own["mcp.token"]._issue(
        own.user, name=wanted["name"], profile=profile and profile.with_env(own), days=wanted["days"],
    )


try:
    secrets = [mint(wanted) for wanted in json.loads(os.environ["MCP_DEV_TOKENS"])]
except UserError as error:
    print(f"MCP_ERROR:{error}")
else:
    env.cr.commit()
    for secret in secrets:
        print(f"MCP_TOKEN:{secret}")
