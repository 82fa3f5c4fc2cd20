import json
import re

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from ..models.prompt_text import PLACEHOLDER
from ..services.exchange import Narrowing
from ..services.versions import V2024_11_05, V2025_11_25, V2026_07_28, VERSIONS
from .common import McpCase, McpHttpCase
from .test_mcp_resource import ResourceMixin

TOOL_NAME = re.compile(r"\bodoo_[a-z_]+")


@tagged("post_install", "-at_install")
class TestMcpPrompt(ResourceMixin, McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.partner = cls.env["res.partner"].create({"name": "Qwertz Interior", "email": "azure@example.com"})
        cls.prompt = cls.env["mcp.prompt"].create(
            {
                "name": "everything", "title": "Everything", "description": "All kinds.", "user_id": False,
                "body": "{{text}} | {{day}} | {{model}} | {{field}} | {{ partner }} | {{pick}} | {{any}} | {{text}}",
                "argument_ids": [
                    Command.create({"name": name, "kind": kind, **more})
                    for name, kind, more in (
                        ("text", "text", {"is_required": True}), ("day", "date", {"default_value": "2026-01-31"}),
                        ("model", "model", {"default_value": "res.partner"}), ("field", "field", {}),
                        ("partner", "record", {"model_name": "res.partner"}),
                        ("pick", "selection", {"options": "Red, green", "default_value": "Red"}),
                        ("any", "record", {}),
                    )
                ],
            }
        )  # fmt: skip

    def text(self, name="everything", user=None, version=V2025_11_25, **arguments):
        result = self.handle("prompts/get", version, user, name=name, arguments=arguments)
        (message,) = result["messages"]
        self.assertEqual((message["role"], message["content"]["type"]), ("user", "text"))
        return message["content"]["text"]

    def names(self, user=None, **options):
        return [prompt["name"] for prompt in self.handle("prompts/list", user=user, **options)["prompts"]]

    def fails(self, user=None, name="everything", **arguments):
        error = self.refused("prompts/get", user=user, name=name, arguments=arguments)
        self.assertEqual(error.code, -32602)
        return error.message

    def test_list_has_the_members_each_revision_wants(self):
        for version in VERSIONS.values():
            with self.subTest(version.name):
                result = self.handle("prompts/list", version)
                prompt = next(item for item in result["prompts"] if item["name"] == "everything")
                self.assertEqual("ttlMs" in result, version.modern)
                self.assertEqual("title" in prompt, version.titles)
                for argument in prompt["arguments"]:
                    self.assertEqual("title" in argument, version.titles)
                required = {item["name"]: item["required"] for item in prompt["arguments"]}
                self.assertEqual((required["text"], required["day"]), (True, False))
                self.assertIn("prompts", self.env["mcp.server"]._capabilities(version))

    def test_arguments_are_read_by_their_kind(self):
        for version in (V2024_11_05, V2026_07_28):
            text = self.text(
                version=version, text="Hi", day="today", model="customer", field="email",
                partner=f"Qwertz Interior [{self.partner.id}]", pick="GREEN", any=str(self.partner.id),
            )  # fmt: skip
            parts = text.split(" | ")
            self.assertRegex(parts[1], r"^\d{4}-\d\d-\d\d$")
            reference = f"Qwertz Interior (res.partner {self.partner.id})"
            self.assertEqual(
                [parts[0], *parts[2:]], ["Hi", "res.partner", "email", reference, "green", reference, "Hi"]
            )
        row = self.env["mcp.audit.log"].search([], limit=1)
        self.assertEqual((row.method, row.tool, row.outcome), ("prompts/get", "everything", "ok"))

    def test_defaults_and_what_is_not_given(self):
        self.assertEqual(
            self.text(text="x"), "x | 2026-01-31 | res.partner | (not given) | (not given) | Red | (not given) | x"
        )
        self.assertIn("qwertz", self.text(text="x", partner="qwertz interior").lower())

    def test_wrong_arguments_are_explained(self):
        self.env["res.partner"].create([{"name": "Twin"}, {"name": "Twin"}])
        cases = {
            "needs text": {},
            "no argument 'other'": {"text": "x", "other": "y"},
            "is no date": {"text": "x", "day": "31.01.2026"},
            "no model": {"text": "x", "model": "no.such"},
            "no field": {"text": "x", "field": "emali"},
            "not offered": {"text": "x", "pick": "blue"},
            "several records": {"text": "x", "partner": "Twin"},
            "no record": {"text": "x", "partner": "Nobody has this name"},
            "no record with id": {"text": "x", "partner": "2147483647"},
            "must be a text": {"text": ["x"]},
            "more than 10,000": {"text": "x" * 10_001},
            "never open": {"text": "x", "model": "ir.rule"},
        }
        for message, arguments in cases.items():
            with self.subTest(message):
                self.assertIn(message, self.fails(**arguments))
        for params in ({"name": "no_such"}, {"name": 5}, {}, {"name": "everything", "arguments": ["x"]}):
            with self.subTest(params):
                self.assertEqual(self.refused("prompts/get", **params).code, -32602)

    def test_what_is_given_is_text_and_never_a_template(self):
        for value in (
            "{{day}}",
            "{{ user.password }}",
            "${7*7}",
            "{% for x in y %}",
            "%(text)s",
            "\\1 \\g<0>",
            "<t t-esc='1'/>",
        ):
            with self.subTest(value):
                self.assertTrue(self.text(text=value).startswith(f"{value} | 2026"))
        self.assertTrue(self.text(text="a\x00b\x1bc\nd").startswith("abc\nd | "))

    def test_record_names_and_ids_of_others_are_not_told(self):
        hidden = self.env["res.partner"].create({"name": "Hidden Harry"})
        domain = f"[('id', '!=', {hidden.id})]"
        self.env["ir.rule"].create(
            {"name": "no", "model_id": self.env["ir.model"]._get_id("res.partner"), "domain_force": domain}
        )
        for value in ("Hidden Harry", "hidden", str(hidden.id)):
            message = self.fails(text="x", partner=value)
            self.assertNotIn("Harry", message.replace(value, ""))

    def test_own_prompt_is_private_and_hides_the_one_for_all(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        own = self.env["mcp.prompt"].with_user(self.user)
        own.create({"name": "private", "title": "Mine", "body": "my text"})
        own.create({"name": "everything", "title": "Mine too", "body": "my own"})
        self.assertIn("private", self.names())
        self.assertEqual(self.text(), "my own")
        self.assertNotIn("private", self.names(other))
        self.assertNotIn("private", self.names(self.env.ref("base.user_admin")))
        self.assertIn("There is no prompt", self.fails(other, name="private"))
        self.assertEqual(len(self.names()), len(set(self.names())))

    def test_users_cannot_write_into_the_lists_of_others(self):
        other = new_test_user(self.env, "mcp_other", groups="base.group_user")
        prompts = self.env["mcp.prompt"].with_user(self.user)
        own = prompts.create({"name": "mine", "title": "Mine", "body": "x"})
        self.assertEqual(own.user_id, self.user)
        attempts = (
            lambda: prompts.create({"name": "forall", "title": "X", "body": "x", "user_id": False}),
            lambda: prompts.create({"name": "theirs", "title": "X", "body": "x", "user_id": other.id}),
            lambda: own.write({"user_id": False}),
            lambda: own.write({"user_id": other.id}),
            lambda: self.prompt.with_user(self.user).write({"body": "taken over"}),
            lambda: self.prompt.with_user(self.user).unlink(),
            lambda: self.prompt.argument_ids[0].with_user(self.user).write({"default_value": "x"}),
            lambda: self.env["mcp.prompt.argument"].with_user(self.user).create(
                {"prompt_id": self.prompt.id, "name": "more"}
            ),
            lambda: own.with_user(other).read(["body"]),
        )  # fmt: skip
        for number, attempt in enumerate(attempts):
            with self.subTest(number), self.assertRaises(AccessError), mute_logger("odoo.addons.base.models.ir_rule"):
                attempt()

    def test_user_makes_an_own_version_of_a_prompt_for_all(self):
        own = self.prompt.with_user(self.user).copy()
        self.assertEqual((own.name, own.user_id), ("everything_copy", self.user))
        self.assertEqual(own.argument_ids.mapped("name"), self.prompt.argument_ids.mapped("name"))
        copied = self.prompt.copy({"name": "second"})
        self.assertEqual((copied.name, copied.user_id.id), ("second", False))

    def test_forms_open_for_users_and_administrators(self):
        for user in (self.user, self.env.ref("base.user_admin")):
            for kind in ("list", "form", "search"):
                self.assertIn("title", self.env["mcp.prompt"].with_user(user).get_view(view_type=kind)["arch"])
            self.assertIn("argument_ids", self.prompt.with_user(user).web_read({"argument_ids": {}, "preview": {}})[0])

    def test_argument_cannot_be_moved_into_a_prompt_of_others(self):
        own = self.env["mcp.prompt"].with_user(self.user).create(
            {"name": "mine", "title": "Mine", "body": "{{a}}", "argument_ids": [Command.create({"name": "a"})]}
        )  # fmt: skip
        with self.assertRaises(AccessError):
            own.argument_ids.write({"prompt_id": self.prompt.id})

    def test_prompts_of_groups_models_and_toolsets_one_has_not(self):
        self.prompt.group_ids = self.env.ref("base.group_erp_manager")
        self.assertNotIn("everything", self.names())
        self.assertIn("everything", self.names(self.env.ref("base.user_admin")))
        self.prompt.group_ids = False
        self.prompt.model_name = "ir.rule"
        self.assertNotIn("everything", self.names(self.env.ref("base.user_admin")))
        self.prompt.model_name = "no.such.model"
        self.assertNotIn("everything", self.names())
        self.prompt.model_name = False
        narrowed = {"narrowing": Narrowing(toolsets=frozenset({"find"}))}
        self.assertEqual(self.names(**narrowed), [])
        self.assertEqual(
            self.refused("prompts/get", name="everything", arguments={"text": "x"}, **narrowed).code, -32602
        )

    def test_records_are_checked(self):
        for values in (
            {"name": "Not Good", "body": "x"},
            {"name": "1st", "body": "x"},
            {"name": "unknown_mark", "body": "{{missing}}"},
            {"name": "too_long", "body": "x" * 20_001},
            {"name": "bad_argument", "body": "x", "argument_ids": [Command.create({"name": "A B"})]},
            {"name": "no_options", "body": "x", "argument_ids": [Command.create({"name": "a", "kind": "selection"})]},
        ):
            with self.subTest(values["name"]), self.assertRaises(ValidationError):
                self.env["mcp.prompt"].create({"title": "X", **values})

    def test_preview_shows_defaults_and_marks(self):
        self.assertTrue(self.prompt.preview.startswith("‹text› | 2026-01-31 | res.partner"))
        self.assertEqual(self.prompt.action_preview()["target"], "new")

    def test_shipped_prompts_name_real_tools_and_render(self):
        shipped = self.env["ir.model.data"].search([("module", "=", "mcp_endpoint"), ("model", "=", "mcp.prompt")])
        prompts = self.env["mcp.prompt"].browse(shipped.mapped("res_id"))
        self.assertGreaterEqual(len(prompts), 12)
        tools = set(self.env["mcp.tool.registry"]._specs())
        for prompt in prompts:
            with self.subTest(prompt.name):
                self.assertFalse(prompt.user_id)
                self.assertFalse(set(TOOL_NAME.findall(prompt.body)) - tools)
                self.assertLessEqual(len(prompt.body), 1500)
                self.assertTrue(prompt.description)
                marks = set(PLACEHOLDER.findall(prompt.body))
                self.assertEqual(marks, set(prompt.argument_ids.mapped("name")))
        self.assertIn("res.partner", self.text("explore_model", model="customer"))
        compared = self.text(
            "compare_records", model="res.partner", first=str(self.partner.id), second="Qwertz Interior"
        )
        self.assertIn("Qwertz Interior (res.partner", compared)


@tagged("post_install", "-at_install")
class TestMcpPromptHttp(McpHttpCase):
    def test_both_eras_over_http(self):
        token = self.issue()
        params = {"name": "explore_model", "arguments": {"model": "res.partner"}}
        modern = self.rpc("prompts/get", params, token=token).json()["result"]
        self.assertEqual(modern["resultType"], "complete")
        body = {"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": params}
        old = self.post(body, token=token).json()["result"]
        self.assertEqual(old["messages"], modern["messages"])
        self.assertNotIn("resultType", old)
        wrong = self.rpc("prompts/get", {"name": "explore_model"}, token=token)
        self.assertEqual((wrong.status_code, wrong.json()["error"]["code"]), (400, -32602))
        self.assertNotIn("Traceback", json.dumps(wrong.json()))
