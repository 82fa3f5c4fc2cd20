"""Install, use, upgrade, uninstall and install again on a real database; nothing of ours may stay behind."""

import re
import unittest

from devtools import databases, paths, postgres

# What an addon can leave in a database: name, and the rows that identify it.
TRACES = {
    "tables": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "columns": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
    "sequences": "SELECT relname FROM pg_class WHERE relkind = 'S'",
    "indexes": "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'",
    "external ids": "SELECT module, name FROM ir_model_data WHERE module = 'mcp_endpoint'",
    "parameters": "SELECT key FROM ir_config_parameter",
    "models": "SELECT model FROM ir_model",
    "fields": "SELECT model, name FROM ir_model_fields",
    "groups": "SELECT id FROM res_groups",
    "privileges": "SELECT id FROM res_groups_privilege",
    "implied groups": "SELECT gid, hid FROM res_groups_implied_rel",
    "access rights": "SELECT id, name FROM ir_model_access",
    "record rules": "SELECT id, name FROM ir_rule",
    "menus": "SELECT id FROM ir_ui_menu",
    "views": "SELECT id, name FROM ir_ui_view",
    "actions": "SELECT id, type FROM ir_actions",
    "crons": "SELECT id FROM ir_cron",
    "filters": "SELECT id, name FROM ir_filters",
    "assets": "SELECT id, path FROM ir_asset",
    "attachments": "SELECT id, name, res_model FROM ir_attachment WHERE url IS NULL OR url NOT LIKE '/web/assets/%'",
}
USE = """
token = env["mcp.token"]._issue(env.ref("base.user_admin"), name="used", days=1)
env["res.config.settings"].create({"mcp_audit_days": 30, "mcp_max_body_mb": 2, "group_mcp_user": False}).execute()
env.ref("mcp_endpoint.profile_read").description = "Ours"
profile = env["mcp.profile"].create({"name": "Made by hand"})
env["ir.filters"].create({"name": "Refused this week", "model_id": "mcp.audit.log", "user_ids": []})
env["ir.attachment"].create({"name": "note.txt", "raw": b"x", "res_model": "mcp.profile", "res_id": profile.id})
env.cr.commit()
"""
INSPECT = """
import json
print("FOUND " + json.dumps([
    env.ref("mcp_endpoint.profile_read").description,
    env.ref("mcp_endpoint.group_mcp_user") in env.ref("base.group_user").implied_ids,
    env["ir.config_parameter"].get_param("mcp_endpoint.audit_days"),
    env["mcp.token"].search_count([("name", "=", "used")]),
]))
"""
UNINSTALL = """
env["ir.module.module"].search([("name", "=", "mcp_endpoint")]).button_immediate_uninstall()
"""
LOUD = re.compile(r"^\S+ \S+ \d+ (?:WARNING|ERROR|CRITICAL) .*", re.MULTILINE)


class TestLifecycle(unittest.TestCase):
    def traces(self):
        """What the database holds, by kind."""
        return {kind: set(map(tuple, postgres.query(sql, self.database))) for kind, sql in TRACES.items()}

    def run_odoo(self, *arguments):
        """Run Odoo once; its log may hold no warning."""
        databases.run_odoo(self.database, *arguments, "--stop-after-init")
        log = (paths.LOGS / f"{self.database}.log").read_text(errors="replace")
        self.assertEqual(LOUD.findall(log), [])

    def test_install_use_upgrade_uninstall_install(self):
        with databases.temporary("small", "lifecycle", addon=False) as self.database:
            before = self.traces()
            self.run_odoo("-i", paths.ADDON)
            databases.shell(self.database, USE)
            self.run_odoo("-u", paths.ADDON)
            found = databases.shell(self.database, INSPECT, capture=True)
            self.assertIn('FOUND ["Ours", false, "30", 1]', found, "an upgrade keeps what the administrator chose")
            databases.shell(self.database, UNINSTALL)
            after = self.traces()
            for kind, rows in before.items():
                with self.subTest(kind):
                    self.assertEqual(after[kind] - rows, set(), "left behind")
                    self.assertEqual(rows - after[kind], set(), "taken away")
            self.run_odoo("-i", paths.ADDON)
