"""The environment of a call: the user's own, with a context that only we build.

Context keys change what Odoo does (`default_*`, `tracking_disable`, `force_delete`, ...), so none is ever taken from
the client: language, time zone and companies are checked values, and nothing else is in it.
"""

from odoo.api import Environment

from ..services.errors import PolicyDenied, ToolError
from ..services.policy import CompiledPolicy
from .mcp_oauth_server import NAMED

# The context key under which a call's environment carries the key of its policy, for `record_limits`.
POLICY_KEY = "mcp_policy"


def call_environment(
    env: Environment, policy: CompiledPolicy, *, company_id: int | None = None, lang: str | None = None
) -> Environment:
    """Return `env` for one call, of the same user.

    :param policy: limits the companies, and by its key the records
    :param company_id: work in this company only; None: the user's main company, with all of theirs visible
    :param lang: code of an installed language; None: the user's
    :raises ToolError: naming the companies or languages there are
    """
    own = env["res.users"]._mcp_workplace()
    companies = _companies(env, _left_open(own.companies, policy), company_id)
    context = {
        "lang": _language(env, lang) if lang else own.lang,
        "tz": own.tz,
        "uid": env.uid,
        "allowed_company_ids": companies,
        POLICY_KEY: policy.key,
    }
    if env.context.get(NAMED):
        context[NAMED] = True
    # The multi-company record rules read `parent_path`, and would fetch some 150 other columns with it in every call.
    records = env["res.company"].browse(companies)
    records._fields["parent_path"]._insert_cache(records, [own.company_paths[company] for company in companies])
    return env(context=context)


def open_companies(env: Environment, policy: CompiledPolicy) -> tuple[int, ...]:
    """Return the ids of the user's companies that the policy leaves, the main one first.

    :raises PolicyDenied: it leaves none
    """
    return _left_open(env["res.users"]._mcp_workplace().companies, policy)


def _left_open(own: tuple[int, ...], policy: CompiledPolicy) -> tuple[int, ...]:
    if policy.companies is None:
        return own
    if found := tuple(company for company in own if company in policy.companies):
        return found
    raise PolicyDenied(
        "profile:company", "The access profile of this token is not open to any of the user's companies."
    )


def _companies(env: Environment, own: tuple[int, ...], company_id: int | None) -> list[int]:
    if company_id is None:
        return list(own)
    if company_id in own:
        return [company_id]
    # sudo: names of the user's own companies.
    names = {company.id: company.name for company in env["res.company"].sudo().browse(own)}
    listed = ", ".join(f"{company} ({name})" for company, name in names.items())
    raise ToolError(
        "invalid_company",
        f"company_id {company_id} is not one of the companies that this user and connection may work in.",
        fix=f"Use one of: {listed}.",
    )


def _language(env: Environment, lang: str) -> str:
    installed = [code for code, _name in env["res.lang"].get_installed()]
    wanted = lang.replace("-", "_").lower()
    for code in installed:
        if code.lower() == wanted or code.split("_")[0].lower() == wanted:
            return code
    raise ToolError(
        "invalid_language",
        f"The language {lang!r} is not installed.",
        fix=f"Use one of: {', '.join(installed)}.",
    )
