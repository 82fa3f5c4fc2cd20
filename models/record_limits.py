from odoo import api, fields, models, tools
from odoo.fields import Domain
from odoo.tools import SQL

from ..services.errors import ToolError
from .call_environment import POLICY_KEY
from .profile_domain import parsed

# Models whose records are about one of another model, and the fields that name that one and hold its id. Their authors
# and recipients may read them whatever they are about.
POINTERS = {
    "mail.activity": ("res_model", "res_id"),
    "mail.message": ("model", "res_id"),
    "mail.scheduled.message": ("model", "res_id"),
    "rating.rating": ("res_model", "res_id"),
}


class IrRule(models.Model):
    """The conditions of access profiles, put where Odoo's record rules are: every search, read, write, aggregate and
    name lookup of a model asks here, whatever path leads to it.

    They hold in the environment of a call, which names its policy, and like record rules not for what Odoo does as
    superuser.
    """

    _inherit = "ir.rule"

    @api.model
    def _compute_domain(self, model_name: str, mode: str = "read") -> Domain:
        key = self.env.context.get(POLICY_KEY)
        if not key or self.env.su:
            return super()._compute_domain(model_name, mode)
        model = self.env[model_name]
        if not model._inherits:
            return super()._compute_domain(model_name, mode) & self._mcp_limit(model_name, key)
        # Odoo's answer is cached and includes the inherited models: without the key, or it would be ours for everybody.
        plain = self.with_context(**{POLICY_KEY: None})
        limits = [Domain.TRUE, self._mcp_limit(model_name, key)]
        for parent, link in model._inherits.items():
            if model._fields[link].store and not (limit := self._mcp_limit(parent, key)).is_true():
                limits.append(Domain(link, "any", limit))
        return plain._compute_domain(model_name, mode) & Domain.AND(limits)

    def _mcp_limit(self, model_name: str, key: str) -> Domain:
        """Return the condition that the profiles of a policy put on the records of a model."""
        if model_name not in POINTERS and not self.env["mcp.profile"]._compiled_by(key).domains(model_name):
            return Domain.TRUE
        context = self.env.context
        companies = tuple(context.get("allowed_company_ids") or ())
        return self._mcp_limit_of(model_name, key, companies, context.get("tz"), fields.Date.context_today(self))

    @tools.ormcache("self.env.uid", "model_name", "key", "companies", "tz", "today")
    def _mcp_limit_of(self, model_name: str, key: str, companies: tuple[int, ...], tz: str, today) -> Domain:
        policy = self.env["mcp.profile"]._compiled_by(key)
        limits = []
        for text in policy.domains(model_name):
            try:
                limits.append(parsed(self.env, model_name, text))
            except ToolError:
                # It was right when it was saved; since then a field has gone. What cannot be read leaves nothing.
                limits.append(Domain.FALSE)
        if model_name in POINTERS:
            pointer, link = POINTERS[model_name]
            closed = [
                name
                for name, cls in self.env.registry.items()
                if not cls._abstract and not cls._transient and not policy.allows_model(name)
            ]
            limits.append(Domain(pointer, "not in", closed))
            about = [name for name in policy.limited_models if name in self.env and name not in POINTERS]
            limits += [_about(pointer, link, name, self._mcp_limit(name, key)) for name in sorted(about)]
        return Domain.AND(limits)


def _about(pointer: str, link: str, name: str, limit: Domain) -> Domain:
    """Return the condition that records which are about one of the model `name` are about one within its limit.

    It holds no environment, as it is kept.
    """

    def to_sql(model, alias, query):
        # The records of a record rule's condition: a superuser's, as here.
        inside = model.env[name].with_context(active_test=False)._search(limit)
        return SQL(
            "(%s IS DISTINCT FROM %s OR %s IN %s)",
            model._field_to_sql(alias, pointer, query),
            name,
            model._field_to_sql(alias, link, query),
            inside.subselect(),
        )

    def predicate(record):
        target = record.env[name].with_context(active_test=False).browse(record[link])
        return record[pointer] != name or bool(target.exists().filtered_domain(limit))

    return Domain.custom(to_sql=to_sql, predicate=predicate)
