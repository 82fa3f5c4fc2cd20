from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from ..services.versions import V2024_11_05, VERSIONS
from .common import McpCase, McpHttpCase
from .test_mcp_resource import ResourceMixin


@tagged("post_install", "-at_install")
class TestCompletion(ResourceMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partners = cls.env["res.partner"].create([{"name": f"Zebra {n}"} for n in range(3)])
        cls.env["mcp.prompt"].create(
            {
                "name": "kinds", "title": "Kinds", "user_id": False, "body": "x",
                "argument_ids": [
                    Command.create({"name": name, "kind": name, "options": "red,green,dark red"})
                    for name in ("text", "date", "model", "field", "record", "selection")
                ],
            }
        )  # fmt: skip

    def complete(self, name, value, *, uri=None, user=None, version=None, others=None, prompt="kinds"):
        reference = {"type": "ref/resource", "uri": uri} if uri else {"type": "ref/prompt", "name": prompt}
        params = {"ref": reference, "argument": {"name": name, "value": value}}
        if others:
            params["context"] = {"arguments": others}
        options = {"version": version} if version else {}
        completion = self.handle("completion/complete", user=user, **options, **params)["completion"]
        self.assertLessEqual(len(completion["values"]), 100)
        self.assertTrue(all(isinstance(value, str) for value in completion["values"]))
        self.assertEqual(completion["hasMore"], completion["total"] > len(completion["values"]))
        return completion["values"]

    def test_capability_is_told_where_the_revision_has_it(self):
        for version in VERSIONS.values():
            self.assertEqual("completions" in self.env["mcp.server"]._capabilities(version), version != V2024_11_05)
            self.assertEqual(self.complete("selection", "g", version=version), ["green"])

    def test_arguments_are_completed_by_their_kind(self):
        self.assertEqual(self.complete("model", "customer")[0], "res.partner")
        self.assertEqual(self.complete("model", "res.partner.ba")[0], "res.partner.bank")
        self.assertIn("res.partner", self.complete("model", ""))
        self.assertEqual(self.complete("model", "custo")[0], "res.partner")
        self.assertEqual(self.complete("field", "emai", others={"model": "res.partner"})[0], "email")
        self.assertEqual(self.complete("selection", "RED"), ["red", "dark red"])
        self.assertEqual(self.complete("date", "tod"), ["today"])
        self.assertEqual(self.complete("text", "x"), [])
        first = self.partners[0]
        self.assertEqual(self.complete("record", "Zebra 0", others={"model": "res.partner"}), [f"Zebra 0 [{first.id}]"])
        self.assertEqual(self.complete("record", "Zebra"), [])

    def test_variables_of_templates(self):
        uri = "odoo://record/{model}/{id}"
        self.assertEqual(self.complete("model", "customer", uri=uri)[0], "res.partner")
        ids = [str(record) for record in self.partners.ids]
        self.assertEqual(sorted(self.complete("id", "Zebra", uri=uri, others={"model": "res.partner"})), sorted(ids))
        # As in Odoo's own fields: by words of the name, not by all that a search looks through.
        self.partners[0].phone = "0999 1234"
        self.assertEqual(self.complete("id", "0 zebr", uri=uri, others={"model": "res.partner"}), [ids[0]])
        self.assertEqual(self.complete("id", "0999 1234", uri=uri, others={"model": "res.partner"}), [])
        state = self.env.ref("base.state_us_5")
        whole = {"uri": uri, "others": {"model": "res.country.state"}}
        self.assertEqual(self.complete("id", state.display_name, **whole), [str(state.id)])
        self.assertEqual(self.complete("id", ids[0], uri=uri, others={"model": "res.partner"})[0], ids[0])
        self.assertEqual(self.complete("name", "mail", uri="odoo://module/{name}")[0], "mail")
        self.assertEqual(self.complete("name", "res.partner", uri="odoo://model/{name}")[0], "res.partner")
        self.assertIn("explore_model", self.complete("name", "expl", uri="odoo://prompt/{name}"))
        self.env["mcp.resource"].create({"name": "X", "slug": "handbook", "body": "x"})
        self.assertEqual(self.complete("slug", "hand", uri="odoo://custom/{slug}"), ["handbook"])

    def test_nothing_is_completed_that_the_user_may_not_see(self):
        uri = "odoo://record/{model}/{id}"
        hidden = self.partners[0]
        domain = f"[('id', '!=', {hidden.id})]"
        self.env["ir.rule"].create(
            {"name": "no", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
        )
        others = {"model": "res.partner"}
        self.assertNotIn(str(hidden.id), self.complete("id", "Zebra", uri=uri, others=others))
        self.assertNotIn(str(hidden.id), self.complete("id", str(hidden.id), uri=uri, others=others))
        self.assertEqual(self.complete("record", "Zebra 0", others=others), [])
        for model in (
            "ir.rule",
            "mcp.token",
            "ir.config_parameter",
            "ir.model.access",
            "no.such",
            "__class__",
            "mail.thread",
        ):
            with self.subTest(model):
                self.assertEqual(self.complete("id", "1", uri=uri, others={"model": model}), [])
                self.assertEqual(self.complete("record", "a", others={"model": model}), [])
                self.assertEqual(self.complete("field", "", others={"model": model}), [])
                self.assertNotIn(model, self.complete("model", model, uri=uri))
        fields = self.complete("field", "", others={"model": "res.users"})
        self.assertTrue(fields)
        self.assertFalse({"password", "totp_secret", "new_password"} & set(fields))

    def test_prompt_of_another_user_is_unknown(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        values = {"name": "mine", "title": "M", "body": "x", "argument_ids": [Command.create({"name": "a"})]}
        self.env["mcp.prompt"].with_user(self.user).create(values)
        self.assertEqual(self.complete("a", "x", prompt="mine"), [])
        params = {"ref": {"type": "ref/prompt", "name": "mine"}, "argument": {"name": "a", "value": ""}}
        self.assertEqual(self.refused("completion/complete", user=other, **params).code, -32602)

    def test_a_changed_prompt_is_completed_as_it_is_now(self):
        self.assertEqual(self.complete("selection", "r")[0], "red")
        prompt = self.env["mcp.prompt"].search([("name", "=", "kinds")])
        argument = prompt.argument_ids.filtered(lambda each: each.kind == "selection")
        argument.options = "rust"
        self.assertEqual(self.complete("selection", "r"), ["rust"])
        # A user's own takes the place of the one for all.
        own = self.env["mcp.prompt"].with_user(self.user).create(
            {
                "name": "kinds", "title": "Mine", "body": "x",
                "argument_ids": [Command.create({"name": "selection", "kind": "selection", "options": "rose"})],
            }
        )  # fmt: skip
        self.assertEqual(self.complete("selection", "r"), ["rose"])
        own.unlink()
        self.assertEqual(self.complete("selection", "r"), ["rust"])
        prompt.group_ids = self.env.ref("base.group_system")
        params = {"ref": {"type": "ref/prompt", "name": "kinds"}, "argument": {"name": "selection", "value": ""}}
        self.assertEqual(self.refused("completion/complete", **params).code, -32602)

    def test_hostile_values_find_nothing_and_do_no_harm(self):
        for value in ("%", "_", "'; DROP TABLE res_users; --", "\\", "\x00", "(" * 500, "🦄", "x" * 5000, "9" * 30):
            for name in ("model", "record", "field", "date", "selection"):
                with self.subTest(value=value[:20], name=name):
                    self.complete(name, value, others={"model": "res.partner"})
        self.assertEqual(self.complete("record", "%ebra", others={"model": "res.partner"}), [])

    def test_wrong_requests_are_refused(self):
        prompt = {"type": "ref/prompt", "name": "kinds"}
        argument = {"name": "model", "value": "x"}
        for params in (
            {},
            {"ref": prompt},
            {"ref": "kinds", "argument": argument},
            {"ref": {"type": "ref/tool", "name": "x"}, "argument": argument},
            {"ref": {"type": ["ref/prompt"], "name": "x"}, "argument": argument},
            {"ref": {"type": "ref/prompt"}, "argument": argument},
            {"ref": {"type": "ref/prompt", "name": "no_such"}, "argument": argument},
            {"ref": prompt, "argument": {"name": "no_such", "value": ""}},
            {"ref": prompt, "argument": {"name": "model", "value": 5}},
            {"ref": {"type": "ref/resource", "uri": "odoo://nothing/{x}"}, "argument": argument},
            {"ref": {"type": "ref/resource", "uri": "file:///etc"}, "argument": argument},
            {
                "ref": {"type": "ref/resource", "uri": "odoo://record/{model}/{id}"},
                "argument": {"name": "x", "value": ""},
            },
        ):
            with self.subTest(params):
                self.assertEqual(self.refused("completion/complete", **params).code, -32602)


@tagged("post_install", "-at_install")
class TestCompletionHttp(McpHttpCase):
    def test_both_eras_over_http(self):
        token = self.issue()
        params = {
            "ref": {"type": "ref/prompt", "name": "explore_model"}, "argument": {"name": "model", "value": "customer"},
        }  # fmt: skip
        modern = self.rpc("completion/complete", params, token=token).json()["result"]
        old = self.post({"jsonrpc": "2.0", "id": 1, "method": "completion/complete", "params": params}, token=token)
        self.assertEqual(modern["completion"]["values"][0], "res.partner")
        self.assertEqual(old.json()["result"]["completion"], modern["completion"])
