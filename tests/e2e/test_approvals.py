"""Two people who approve the same request at the same moment, in two workers."""

import unittest
import xmlrpc.client
from concurrent.futures import ThreadPoolExecutor

from endpoint import Endpoint
from fixture import shared

from devtools import databases, postgres, tokens

ROUNDS = 5
SET_UP = """
groups = [(4, env.ref("base.group_user").id), (4, env.ref("base.group_system").id)]
users = env["res.users"].with_context(no_reset_password=True).create([
    {"name": login, "login": login, "password": login, "group_ids": groups} for login in ("ada", "bob")
])
env["mcp.profile"].create({
    "name": "Two approvers", "access_level": "write", "allow_delete": True, "approval": "always",
    "approver_ids": users.ids,
})
"""


class TestApprovers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.running = shared()
        wanted = tokens.Wanted("admin", "Two approvers", name="race")
        (token,) = tokens.issue(cls.running.database, wanted, before=SET_UP + databases.COMMIT)
        cls.endpoint = Endpoint(cls.running.server.base, token)
        ((ada, bob),) = postgres.query(
            "SELECT min(id), max(id) FROM res_users WHERE login IN ('ada', 'bob')", cls.running.database
        )
        cls.people = ((int(ada), "ada"), (int(bob), "bob"))

    def press(self, person, approval):
        odoo = xmlrpc.client.ServerProxy(f"{self.running.server.base}/xmlrpc/2/object")
        user, password = person
        answer = odoo.execute_kw(self.running.database, user, password, "mcp.approval", "action_approve", [[approval]])
        return answer["params"]["type"]

    def rows(self, sql):
        return int(postgres.query(sql, self.running.database)[0][0])

    def test_call_runs_once_whoever_is_first(self):
        for number in range(ROUNDS):
            name = f"Raced {number}"
            answer = self.endpoint.call("odoo_create_records", model="res.partner", records=[{"name": name}])
            approval = answer["structuredContent"]["id"]
            with ThreadPoolExecutor(4) as pool:
                # Each of them presses twice, as people do.
                kinds = list(pool.map(lambda person, approval=approval: self.press(person, approval), self.people * 2))
            self.assertEqual(kinds.count("success"), 1, kinds)
            self.assertEqual(set(kinds), {"success", "warning"})
            self.assertEqual(self.rows(f"SELECT count(*) FROM res_partner WHERE name = '{name}'"), 1)
            decided = f"method = 'approval' AND reason LIKE 'done: request {approval} %'"
            self.assertEqual(self.rows(f"SELECT count(*) FROM mcp_audit_log WHERE {decided}"), 1)
