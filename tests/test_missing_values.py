from dataclasses import replace

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..services import form_schema
from ..services.versions import V2026_07_28
from .common import McpCase


class AskedCase(McpCase):
    """Calls of a client whose user can be asked."""

    def send(self, tool, arguments, answers=None, *, state=None, capabilities=None):
        params = {"name": tool, "arguments": arguments}
        if answers is not None:
            accepted = {key: {"action": "accept", "content": content} for key, content in answers.items()}
            params |= {"inputResponses": accepted} | ({"requestState": state} if state else {})
        capabilities = {"elicitation": {}} if capabilities is None else capabilities
        exchange = replace(self.exchange(params=params, version=V2026_07_28), capabilities=capabilities)
        registry = self.registry_as()
        return registry._call_tool(registry.env["mcp.server"]._answered(exchange))

    def asked(self, result, key):
        """Return the message and the fields that are asked for under a key."""
        self.assertEqual(result.get("resultType"), "input_required", result)
        self.assertEqual(list(result["inputRequests"]), [key])
        asked = result["inputRequests"][key]["params"]
        return asked["message"], asked["requestedSchema"]["properties"]


@tagged("post_install", "-at_install")
class TestMissingValues(AskedCase):
    def send(self, *args, **options):
        with mute_logger("odoo.sql_db"):
            return super().send(*args, **options)

    def test_person_is_asked_for_what_a_new_record_lacks(self):
        arguments = {"model": "res.partner.bank", "records": [{"bank_name": "x"}]}
        message, properties = self.asked(self.send("odoo_create_records", arguments), "fields")
        self.assertIn("Bank Accounts", message)
        self.assertEqual(set(properties), {"acc_number", "partner_id"})
        self.assertEqual(properties["acc_number"]["title"], "Account Number")
        owner = self.user.partner_id
        choices = [choice["const"] for choice in properties["partner_id"].get("oneOf", ())]
        filled = {"acc_number": "NL91", "partner_id": str(owner.id) if choices else owner.name}
        result = self.send("odoo_create_records", arguments, {"fields": filled})
        account = self.env["res.partner.bank"].browse(result["structuredContent"]["ids"])
        self.assertEqual((account.acc_number, account.partner_id), ("NL91", owner))

    def test_asked_once_more_where_the_form_is_not_complete(self):
        arguments = {"model": "res.partner.bank", "records": [{"bank_name": "x"}]}
        for wrong in ({}, {"acc_number": "NL91"}, {"acc_number": "", "partner_id": "x"}, {"acc_number": 5}):
            with self.subTest(wrong=wrong):
                self.asked(self.send("odoo_create_records", arguments, {"fields": wrong}), "fields")

    def test_what_does_not_fit_is_told_to_the_assistant(self):
        # More than a form lists: then it is a name that is filled in.
        self.env["res.partner"].create([{"name": f"Partner {number}"} for number in range(20)])
        arguments = {"model": "res.partner.bank", "records": [{"bank_name": "x"}]}
        filled = {"acc_number": "NL91", "partner_id": "Nobody of this name"}
        result = self.send("odoo_create_records", arguments, {"fields": filled})
        self.assertTrue(result["isError"])
        self.assertIn("Nobody of this name", result["content"][0]["text"])

    def test_assistant_is_told_where_nobody_can_be_asked(self):
        record = {"bank_name": "x"}
        for records, capabilities, more in (
            ([record], {}, {}),
            ([record], {"elicitation": {"url": {}}}, {}),
            ([record, record], None, {}),
            ([record], None, {"dry_run": True}),
        ):
            with self.subTest(capabilities=capabilities, more=more):
                arguments = {"model": "res.partner.bank", "records": records, **more}
                result = self.send("odoo_create_records", arguments, capabilities=capabilities)
                self.assertEqual(result["structuredContent"]["error"]["code"], "missing_required")

    def test_step_of_a_batch_asks_nobody(self):
        arguments = {"model": "res.partner.bank", "records": [{"bank_name": "x"}]}
        result = self.send("odoo_batch", {"steps": [{"tool": "odoo_create_records", "arguments": arguments}]})
        self.assertEqual(result["structuredContent"]["error"]["code"], "missing_required")

    def test_refusal_ends_the_call(self):
        arguments = {"model": "res.partner.bank", "records": [{"bank_name": "x"}]}
        params = {"name": "odoo_create_records", "arguments": arguments}
        params["inputResponses"] = {"fields": {"action": "cancel"}}
        exchange = replace(self.exchange(params=params, version=V2026_07_28), capabilities={"elicitation": {}})
        registry = self.registry_as()
        with mute_logger("odoo.sql_db"):
            result = registry._call_tool(registry.env["mcp.server"]._answered(exchange))
        self.assertEqual(result["structuredContent"]["status"], "declined")

    def test_person_is_asked_for_what_a_wizard_lacks(self):
        partners = self.env["res.partner"].create([{"name": "One"}, {"name": "Two"}])
        merge = self.env.ref("base.action_partner_merge")
        arguments = {
            "model": "res.partner",
            "ids": partners.ids,
            "action": str(merge.id),
            "answers": {"dst_partner_id": None, "button": "Merge Contacts"},
        }
        first = self.send("odoo_run_action", arguments)
        message, properties = self.asked(first, "answers")
        self.assertIn("what is still needed", message)
        found = properties["dst_partner_id"]
        choices = [choice["const"] for choice in found.get("oneOf", ())]
        answer = str(partners[1].id) if choices else "Two"
        second = self.send(
            "odoo_run_action", arguments, {"answers": {"dst_partner_id": answer}}, state=first["requestState"]
        )
        if second.get("resultType") == "input_required":
            # Merging cannot be taken back, so it is confirmed as well.
            self.asked(second, "confirm")
            second = self.send(
                "odoo_run_action", arguments, {"confirm": {"confirm": True}}, state=second["requestState"]
            )
        self.assertFalse(second["isError"], second)
        self.assertEqual(partners.exists().ids, [partners[1].id])


@tagged("post_install", "-at_install")
class TestServiceFormSchema(McpCase):
    def test_fields_become_a_flat_form(self):
        fields = [
            {"name": "a", "label": "A", "type": "char", "help": "Any."},
            {"name": "b", "label": "B", "type": "selection", "options": [("x", "X"), ("y", "Y")]},
            {"name": "c", "label": "C", "type": "many2one", "options": [(7, "Seven")]},
            {"name": "d", "label": "D", "type": "many2one", "options": None},
            {"name": "e", "label": "E", "type": "monetary"},
            {"name": "f", "label": "F", "type": "date"},
        ]
        schema = form_schema.form(fields)
        self.assertEqual(schema["required"], ["a", "b", "c", "d", "e", "f"])
        self.assertEqual(schema["properties"]["b"]["oneOf"][1], {"const": "y", "title": "Y"})
        self.assertEqual(schema["properties"]["a"]["description"], "Any.")
        content = {"a": "t", "b": "y", "c": "7", "d": "Acme", "e": 1.5, "f": "2026-01-02"}
        self.assertEqual(form_schema.values(fields, content), {**content, "c": 7})

    def test_what_a_form_cannot_hold_is_not_asked_for(self):
        simple = {"name": "a", "label": "A", "type": "char"}
        for fields in ([], [simple, {**simple, "name": "b", "type": "one2many"}], [{**simple, "type": "html"}]):
            self.assertIsNone(form_schema.form(fields))
        self.assertIsNone(form_schema.form([{**simple, "name": str(number)} for number in range(13)]))
