"""Why a user may or may not do something: every layer in the order in which it is asked, and who could.

What it tells of records is only whether a rule lets those through that the user can read anyway. An id that is hidden
and one that does not exist give the same answer, and nothing is evaluated for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from odoo.fields import Domain
from odoo.models import BaseModel
from odoo.tools.safe_eval import safe_eval

from ..services.errors import PolicyDenied, ToolError
from .call_environment import open_companies
from .rule_text import rule_text
from .tool_call import ODOO_OPERATIONS

MOST_NAMES = 5
MOST_GROUPS = 10
MOST_RULES = 20


@dataclass
class Explanation:
    """Layers in order, each `{layer, passes, text}`; `groups` are those that would open the first closed layer."""

    checks: list[dict[str, object]] = field(default_factory=list)
    who_can: list[dict[str, object]] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    @property
    def blocked_by(self) -> str | None:
        return next((check["layer"] for check in self.checks if check["passes"] is False), None)


class AccessExplainer:
    """One question: may this user do `operation` on `model`, on these records, with this field?"""

    def __init__(self, call, model: str, operation: str) -> None:
        if model not in call.env or call.env[model]._abstract:
            call.check_model(model)
        self.call = call
        self.model = model
        self.operation = operation
        self.mode = ODOO_OPERATIONS[operation]
        self.records = call.env[model]
        self.result = Explanation()

    def explain(self, ids: Sequence[int], field_name: str | None) -> Explanation:
        self.call.touch(self.model, [])
        is_open = self._policy(field_name)
        # Of what no assistant may reach nothing more is told.
        if not is_open and self.result.checks[-1]["rule"] == "guardrail:model":
            return self.result
        has_right = self._access_right()
        if field_name:
            self._field_groups(field_name)
        self._record_rules(list(dict.fromkeys(ids)), has_right)
        return self.result

    def _add(self, layer: str, passes: bool | None, text: str, **facts: object) -> None:
        self.result.checks.append({"layer": layer, "passes": passes, "text": text, **facts})

    def _policy(self, field_name: str | None) -> bool:
        try:
            self.call.policy.check_model(self.model, self.operation)
            if field_name:
                if field_name not in self.records._fields:
                    self.call.field(self.model, field_name)
                self.call.policy.check_field(self.model, field_name, self.operation)
        except PolicyDenied as denied:
            layer = "guardrail" if denied.rule.startswith("guardrail") else "profile"
            self._add(layer, False, denied.message, rule=denied.rule)
            return False
        self._add("guardrail and profile", True, "Neither guardrails nor the access profile stand in the way.")
        return True

    def _access_right(self) -> bool:
        rights = self.call.env["ir.model.access"]
        passes = rights.check(self.model, self.mode, raise_exception=False)
        # sudo: which groups hold an access right; Odoo's own access errors name them too.
        granting = rights.sudo().search([("model_id.model", "=", self.model), (f"perm_{self.mode}", "=", True)])
        groups = granting.group_id
        names = ", ".join(groups.mapped("full_name")[:MOST_GROUPS])
        if granting.filtered(lambda right: not right.group_id):
            names = "everybody"
        mine = groups & self.call.env.user.all_group_ids
        if passes:
            held = ", ".join(mine.mapped("full_name")) or names
            self._add("access right", True, f"The user may {self.operation} {self.model} through: {held}.")
        else:
            self._add("access right", False, f"To {self.operation} {self.model} takes one of: {names or 'no group'}.")
            self._name_groups(groups)
        return passes

    def _field_groups(self, name: str) -> None:
        definition = self.records._fields[name]
        passes = self.records._has_field_access(definition, "read" if self.operation == "read" else "write")
        groups = self._groups_of(definition.groups)
        if not passes:
            names = ", ".join(groups.mapped("full_name")) or "nobody but Odoo itself"
            self._add("field group", False, f"The field {name} is for: {names}.")
            self._name_groups(groups)
        else:
            self._add("field group", True, f"The field {name} is open to the user.")
        if self.operation != "read" and definition.readonly:
            self._add("field", None, f"{name} is kept by Odoo or set by a button; assistants cannot always write it.")

    def _groups_of(self, xmlids: str | None) -> BaseModel:
        # sudo: names of groups in a field's definition.
        groups = self.call.env["res.groups"].sudo()
        for xmlid in (xmlids or "").split(","):
            if xmlid.strip() and not xmlid.strip().startswith(("!", ".")):
                groups |= self.call.env.ref(xmlid.strip(), raise_if_not_found=False) or groups
        return groups

    # Record rules

    def _record_rules(self, ids: list[int], has_right: bool) -> None:
        rules = self._rules_in_force()
        visible = self._visible(ids) if ids and self._can_read() else self.records.browse()
        self.result.hidden = [record_id for record_id in ids if record_id not in visible._ids]
        if self.result.hidden:
            self._explain_hidden(rules)
        allowed = visible._filtered_access(self.mode) if has_right else visible.browse()
        self.result.refused = [record_id for record_id in visible._ids if record_id not in allowed._ids]
        if not rules:
            self._add(
                "record rule", True if not self.result.hidden else None, "No record rule restricts this user here."
            )
        refused = visible.browse(self.result.refused) if has_right else visible.browse()
        grouped = [rule for rule, _domain in rules if rule.groups]
        for rule, domain in rules[:MOST_RULES]:
            failing = self._failing(domain, refused)
            # One of the rules of a user's groups is enough; each of the others has to pass.
            passes = None if not visible or not has_right else not failing
            if failing and len(grouped) > 1 and rule.groups:
                passes = None
            self._add(
                "record rule",
                passes,
                f"{rule.name or 'Unnamed rule'}: {rule_text(self.call.env, rule.model_id.model, domain)}.",
                kind="one of the user's groups" if rule.groups else "everybody",
                **({"failing_ids": failing} if failing else {}),
            )
        if refused:
            if self.result.blocked_by is None:
                self._add_remaining(refused)
            self._name_groups(self._unrestricted_groups())
        if visible:
            self.call.records(self.model, "read", visible.ids)

    def _add_remaining(self, refused: BaseModel) -> None:
        """Name what refuses when no single rule does."""
        together = self.call.env["ir.rule"]._compute_domain(self.model, self.mode)
        by_rules = self._failing(together, refused)
        text = "None of the rules of the user's groups lets them through." if by_rules else "The model itself refuses."
        self._add("record rule" if by_rules else "model", False, text, failing_ids=refused.ids)

    def _can_read(self) -> bool:
        return self.call.allows_model(self.model)

    def _visible(self, ids: list[int]) -> BaseModel:
        return self.records.browse(ids).exists()._filtered_access("read")

    def _explain_hidden(self, rules: list) -> None:
        listed = ", ".join(map(str, self.result.hidden[:20]))
        self._add(
            "record",
            False,
            f"{self.model} {listed}: no such record, or hidden from this user"
            + (" by the record rules below." if rules else "."),
        )
        companies = list(open_companies(self.call.env, self.call.policy))
        if self._can_read() and set(companies) != set(self.call.env.companies.ids):
            wide = self.records.with_context(allowed_company_ids=companies)
            found = wide.browse(self.result.hidden).exists()._filtered_access("read")
            if found:
                self._add(
                    "company", False, "Another company of this user has them: leave company_id out.", ids=found.ids
                )

    def _rules_in_force(self) -> list[tuple[BaseModel, Domain]]:
        """Return the rules of the model, and of those it inherits from, with their domains for this user."""
        rule_model = self.call.env["ir.rule"]
        context = rule_model._eval_context()
        found = []
        for model, path in [(self.model, None), *self.records._inherits.items()]:
            # sudo: users may not read rules; told are a rule's name and meaning, and only of rules that bind the user.
            for rule in rule_model._get_rules(model, self.mode).sudo():
                domain = Domain(safe_eval(rule.domain_force, context)) if rule.domain_force else Domain.TRUE
                found.append((rule, domain if path is None else Domain(path, "any", domain)))
        return found

    def _failing(self, domain: Domain, refused: BaseModel) -> list[int]:
        """Return those of the refused records, all of which the user can read, that a rule leaves out."""
        if not refused:
            return []
        # sudo: a rule is evaluated without the rules, as Odoo does; the records are readable for the user.
        model = refused.sudo().with_context(active_test=False).browse()
        passing = model.search(domain & Domain("id", "in", refused.ids))
        return [record_id for record_id in refused.ids if record_id not in passing._ids]

    def _unrestricted_groups(self) -> BaseModel:
        """Return groups whose rules let every record of the model through."""
        # sudo: as above; told are names of groups.
        rules = (
            self.call.env["ir.rule"]
            .sudo()
            .search([("model_id.model", "=", self.model), (f"perm_{self.mode}", "=", True), ("groups", "!=", False)])
        )
        context = self.call.env["ir.rule"]._eval_context()
        return rules.filtered(
            lambda rule: not rule.domain_force or Domain(safe_eval(rule.domain_force, context)).is_true()
        ).groups

    def _name_groups(self, groups: BaseModel) -> None:
        """Say who is in these groups: how many, and names only of users that the caller can see."""
        if self.result.who_can:
            return
        for group in groups[:MOST_GROUPS]:
            users = group.all_user_ids
            facts = {"group": group.full_name, "users": len(users)}
            if names := self._names(users.ids):
                facts["names"] = names
            self.result.who_can.append(facts)

    def _names(self, user_ids: list[int]) -> list[str]:
        if not user_ids or not self.call.allows_model("res.users"):
            return []
        try:
            found = self.call.search(self.call.domain("res.users", [["id", "in", user_ids]]), limit=MOST_NAMES)
            names = [row["name"] for row in self.call.read(found, ["name"])]
        except ToolError:
            return []
        return names
