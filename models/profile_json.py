from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Command, Domain

from ..services import profile_json

# Of links only those that can be named in another database; people are chosen there anew.
LINKED = ("res.groups", "res.company")
SIMPLE = ("boolean", "integer", "char", "text", "selection")
LEFT_OUT = frozenset({"is_baseline", "active", "profile_id"})


class McpProfile(models.Model):
    """Export and import. Every stored limit travels, those of other addons too; tokens and approving people do not."""

    _inherit = "mcp.profile"

    def _to_json(self) -> str:
        return profile_json.dumped(
            [
                {
                    **self._portable(profile),
                    "rules": [self._portable(rule) for rule in profile.rule_ids.sorted()],
                }
                for profile in self
            ]
        )

    @api.model
    def _from_json(self, text: str):
        """Create the profiles in a text and return them; of two with one name, the new one says so.

        :raises ValidationError: nothing was created
        """
        try:
            read = profile_json.loaded(text)
            values = [self._from_portable(profile) for profile in read]
        except ValueError as error:
            raise ValidationError(self.env._("This file cannot be imported: %s.", error)) from error
        taken = set(self.with_context(active_test=False, lang=None).search(Domain.TRUE).mapped("name"))
        for each in values:
            if each["name"] in taken:
                each["name"] = self.env._("%s (imported)", each["name"])
        return self.create(values)

    def _from_portable(self, given: dict[str, object]) -> dict[str, object]:
        """Return the values of a profile and its rules. :raises ValueError: naming what is wrong"""
        name = given["name"]
        rules = given.get("rules", [])
        if not isinstance(rules, list) or not all(isinstance(rule, dict) and rule.get("pattern") for rule in rules):
            raise ValueError(f'{name}: rules must be a list of objects, each with a "pattern"')
        own = {member: value for member, value in given.items() if member != "rules"}
        lines = self.env["mcp.profile.rule"]
        commands = [
            Command.create(self._read_into(lines, rule, f"{name}, rule {number}"))
            for number, rule in enumerate(rules, 1)
        ]
        return {**self._read_into(self, own, str(name)), "rule_ids": commands}

    @api.model
    def _portable_fields(self, records) -> dict[str, object]:
        found = {}
        for name, field in records._fields.items():
            is_own = field.store and not field.related and name not in models.MAGIC_COLUMNS
            of_kind = field.type in SIMPLE or (field.type in ("many2many", "many2one") and field.comodel_name in LINKED)
            # What chatter keeps of a record is about this database.
            is_chatter = name.startswith(("message_", "activity_", "has_message"))
            if is_own and of_kind and not is_chatter and name not in LEFT_OUT and not field.compute:
                found[name] = field
        return found

    @api.model
    def _portable(self, record) -> dict[str, object]:
        record = record.with_context(lang=None)
        result = {}
        for name, field in self._portable_fields(record).items():
            value = record[name]
            if field.type == "many2many":
                result[name] = sorted(_name_of(each) for each in value)
            elif field.type == "many2one":
                result[name] = _name_of(value) if value else None
            else:
                result[name] = value if value or field.type in ("boolean", "integer") else None
        return result

    @api.model
    def _read_into(self, records, given: dict[str, object], where: str) -> dict[str, object]:
        portable = self._portable_fields(records)
        profile_json.check_members(given, {name: field.type for name, field in portable.items()}, where)
        values: dict[str, object] = {}
        for name, value in given.items():
            field = portable[name]
            if value is None:
                # Without a value a field that must have one keeps its default.
                values.update({} if field.required else {name: False})
            elif field.type == "many2many":
                values[name] = [Command.set([self._named(field.comodel_name, each, where).id for each in value])]
            elif field.type == "many2one":
                values[name] = self._named(field.comodel_name, value, where).id
            elif field.type == "selection" and value not in field.get_values(self.env):
                raise ValueError(f"{where}: {name} cannot be {value!r}")
            else:
                values[name] = value
        return values

    @api.model
    def _named(self, model: str, name: str, where: str):
        """Return the group or company of this name. :raises ValueError: there is none"""
        # sudo: groups and companies are named by administrators, as on the form.
        found = self.env.ref(name, raise_if_not_found=False) if model == "res.groups" and "." in name else None
        if found is None or found._name != model:
            found = self.env[model].sudo().search([("name", "=", name)], limit=1)
        if not found:
            raise ValueError(f"{where}: there is no {model} named {name!r}")
        return found


def _name_of(record) -> str:
    """Return the external id of a group that a module brought along, otherwise the name."""
    xmlid = record.get_external_id()[record.id] if record._name == "res.groups" else ""
    # sudo: names of groups and companies, for administrators.
    return xmlid if xmlid and not xmlid.startswith("__") else record.sudo().name
