import base64
import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from .common import McpCase


@tagged("post_install", "-at_install")
class TestProfileJson(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.group = cls.env["res.groups"].create({"name": "Only here"})
        cls.profile = cls.env["mcp.profile"].create(
            {
                "name": "Sales",
                "access_level": "write",
                "tools_denied": "odoo_undo",
                "ip_allowed": "192.0.2.0/24",
                "max_result": 5_000,
                "lockdown": True,
                "company_ids": cls.env.company.ids,
                "group_ids": (cls.group | cls.env.ref("base.group_user")).ids,
                "rule_ids": [
                    (0, 0, {"pattern": "res.*", "sequence": 20}),
                    (0, 0, {
                        "pattern": "res.partner", "allow_write": True, "fields_mode": "deny", "field_names": "ref",
                        "domain": '[["function", "=", "x"]]', "methods": "action_archive",
                    }),
                ],
            }
        )  # fmt: skip

    def changed(self, change):
        data = json.loads(self.profile._to_json())
        change(data["profiles"][0])
        return json.dumps(data)

    def test_round_trip(self):
        text = self.profile._to_json()
        self.profile.name = "Moved away"
        copy = self.env["mcp.profile"]._from_json(text)
        self.assertEqual(copy._to_json(), text)
        held = frozenset(self.user._get_group_ids())
        self.profile.name = copy.name
        self.assertEqual(self.profile._layer("profile", held).rules, copy._layer("profile", held).rules)

    def test_all_shipped_profiles_come_back_the_same(self):
        shipped = self.env["mcp.profile"].search([("is_baseline", "=", False)]) - self.profile
        text = shipped._to_json()
        names = {profile: profile.name for profile in shipped}
        for profile, name in names.items():
            profile.name = f"old {name}"
        self.assertEqual(self.env["mcp.profile"]._from_json(text)._to_json(), text)

    def test_a_name_that_is_taken_is_said(self):
        self.assertEqual(self.env["mcp.profile"]._from_json(self.profile._to_json()).name, "Sales (imported)")

    def test_import_is_checked_like_a_form(self):
        def of_rule(**values):
            return lambda profile: profile["rules"][0].update(values)

        changes = [
            lambda profile: profile.update(nope=1), lambda profile: profile.update(access_level="root"),
            lambda profile: profile.update(ip_allowed="office"), lambda profile: profile.update(is_baseline=True),
            lambda profile: profile.update(group_ids=["No such group"]), lambda profile: profile.update(rules={}),
            lambda profile: profile.update(tools_denied="odoo_nothing"), lambda profile: profile.update(lockdown="yes"),
            of_rule(pattern="no.model"), of_rule(field_names="nope"), of_rule(domain="nonsense"), of_rule(profile_id=1),
            of_rule(domain='[["user_ids.password", "=", "x"]]'), of_rule(allow_read=1),
        ]  # fmt: skip
        count = self.env["mcp.profile"].search_count([])
        for number, change in enumerate(changes):
            with self.subTest(number=number), self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.env["mcp.profile"]._from_json(self.changed(change))
        self.assertEqual(self.env["mcp.profile"].search_count([]), count)

    def test_odd_values_are_refused_and_nothing_is_kept(self):
        before = self.env["mcp.profile"].search_count([])
        odd = (
            {"name": ""}, {"name": "  "}, {"name": "a\u0000b"}, {"name": "\ud800"}, {"name": "x" * 100_000},
            {"sequence": 10**30}, {"sequence": -(2**31) - 1}, {"calls_per_minute": 2**31}, {"max_result": 1.0},
            {"description": "a\u0000b"}, {"lockdown": 1}, {"is_baseline": True}, {"id": 1}, {"create_uid": 1},
            {"group_ids": [""]}, {"group_ids": ["\u0000"]}, {"company_ids": ["%"]}, {"company_ids": [1]},
            {"approval": "always"}, {"access_level": "ADMIN"}, {"access_level": ""}, {"rule_ids": []},
            {"ip_allowed": "0.0.0.0/33"}, {"ip_allowed": "1" * 10_000}, {"toolsets": "\ud800"},
            {"rules": [{"pattern": "res.partner", "domain": "[('id', '=', 1)]" * 10_000}]},
            {"rules": [{"pattern": "res.partner", "domain": "[[\"a\\u0000\", \"=\", 1]]"}]},
            {"rules": [{"pattern": "ir.config_parameter", "domain": '[["key", "like", "x"]]'}]},
            {"rules": [{"pattern": "res.users", "domain": '[["password", "like", "a"]]'}]},
            {"rules": [{"pattern": "res.partner", "sequence": 2**40}]}, {"rules": [{}]}, {"rules": {}},
            {"rules": [{"pattern": "../x"}]}, {"rules": [{"pattern": "res.partner", "field_names": "\u0000"}]},
        )  # fmt: skip
        for members in odd:
            text = self.changed(lambda profile, members=members: profile.update(members))
            with self.subTest(members=str(members)[:80]), self.cr.savepoint(), self.assertRaises(ValidationError):
                self.env["mcp.profile"]._from_json(text)
                self.env.flush_all()
        for text in ("", "[]", "null", "{}", "[" * 100_000, "\ud800", '{"format": NaN}', "1" * 10_000):
            with self.subTest(text=text[:20]), self.assertRaises(ValidationError):
                self.env["mcp.profile"]._from_json(text)
        self.assertEqual(self.env["mcp.profile"].search_count([]), before)

    def test_dialogs(self):
        dialog = self.env["mcp.profile.transfer"].browse(self.profile.action_export()["res_id"])
        self.assertEqual(base64.b64decode(dialog.content).decode(), self.profile._to_json())
        self.assertEqual(dialog.file_name, "Sales.json")
        action = self.env["mcp.profile.transfer"].create({"content": dialog.content}).action_import()
        self.assertEqual(len(self.env["mcp.profile"].search(action["domain"])), 1)

    def test_duplicate_keeps_the_rules(self):
        copy = self.profile.copy()
        self.assertEqual(copy.rule_ids.sorted().mapped("pattern"), self.profile.rule_ids.sorted().mapped("pattern"))
        self.assertFalse(self.env.ref("mcp_endpoint.profile_baseline").copy().is_baseline)
