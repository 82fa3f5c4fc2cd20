import contextlib
import json

from odoo.tests import tagged
from odoo.tools import SQL, mute_logger

from ..services.errors import McpError
from ..services.uri import SCHEME
from .common import McpCase

# In the name of what is forbidden: a word that calls look for, and one that no answer may hold.
WORD, SECRET = "Zqword", "topsecret7731"


@tagged("post_install", "-at_install")
class TestPolicyPaths(McpCase):
    """Each forbidden thing, tried through each path that the registry of the database knows.

    A new tool, resource, prompt or argument is tried without being named here: an argument that this test does not know
    is given names, words and ids by its type.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.profiles["narrow"] = cls.profile = cls.env["mcp.profile"].create(
            {"name": "Narrow", "access_level": "admin", "allow_delete": True, "confirmation": "never"}
        )
        cls.rule = cls.env["mcp.profile.rule"].create(
            {
                "profile_id": cls.profile.id,
                "pattern": "res.partner",
                **{f"allow_{operation}": True for operation in ("write", "create", "delete", "call")},
            }
        )
        # Made here: one made by an attempt is taken back with it, and making one is most of the work.
        cls.issue(profile="narrow")
        cls.partner = cls.env["res.partner"].create({"name": "Open", "function": "inside"})
        cls.partner.message_post(body="Open")
        cls.attachments = {}
        cls.env["mcp.resource"].create({"name": "Text", "slug": "text", "body": "Text"})

    # What is forbidden

    def secret_category(self):
        category = self.env["res.partner.category"].create({"name": f"{WORD} {SECRET}"})
        self.partner.category_id = category
        return self.with_file(category)

    def secret_partner(self, **values):
        values = {"function": "outside", "email": f"{SECRET}@example.com", "parent_id": self.partner.id, **values}
        partner = self.env["res.partner"].create({"name": f"{WORD} {SECRET}", **values})
        partner.message_post(body=f"<p>{SECRET}</p>", subject=SECRET)
        partner.activity_schedule("mail.mail_activity_data_todo", summary=SECRET, user_id=self.user.id)
        return self.with_file(partner)

    def secret_field(self):
        self.partner.ref = f"{WORD} {SECRET}"
        self.env.flush_all()

    def with_file(self, record):
        self.attachments[record] = self.env["ir.attachment"].create(
            {"name": f"{SECRET}.txt", "raw": SECRET.encode(), "res_model": record._name, "res_id": record.id}
        )
        return record

    # What is tried

    def values(self, record, field=None):
        """Return what each argument that asks for something holds in an attempt at this record."""
        changed = {field or "name": "x"}
        nested = {"name": "x", "child_ids": [{"name": "y", **({field: "x"} if field else {})}]}
        if record._name == "res.partner.category":
            nested = {"category_id": [{"id": record.id, "name": "x"}]}
        return {
            "model": [record._name],
            "id": [record.id],
            "ids": [[record.id]],
            "query": [WORD],
            "records": [[{"name": "n", **changed}], [nested]],
            "values": [changed, nested],
            "updates": [[{"id": record.id, "values": changed}]],
            "rows": [[{"id": "zq_row", "name": "n", **changed}]],
            "key_fields": [[field or "name"]],
            "changed": [[field or "name"]],
            "fields": [[field or "name"], [f"parent_id.{field or 'name'}"]],
            "field": [field or "name"],
            "field_query": [WORD],
            "domain": [[[field or "name", "ilike", WORD]], [["parent_id", "any", [[field or "name", "ilike", WORD]]]]],
            "filters": [[{"field": field or "name", "op": "contains", "value": WORD}]],
            "order": [field or "name"],
            "group_by": [[field or "name"]],
            "measures": [[f"{field or 'name'}:count_distinct"]],
            "count_only": [True],
            "action": ["action_archive", "unlink", "write"],
            "steps": [
                [{"tool": "odoo_search_records", "arguments": {"model": record._name, "query": WORD}}],
                [{"tool": "odoo_delete_records", "arguments": {"model": record._name, "ids": [record.id]}}],
            ],
            "attachment_id": [each.id for owner, each in self.attachments.items() if owner == record],
            "attachment_ids": [[each.id] for owner, each in self.attachments.items() if owner == record],
            "body": ["x"],
            "name": ["n.txt"],
            "text": ["x"],
        }

    def attempts(self, record, field=None):
        """Yield a label and a function that tries, for every tool, resource, prompt and completion."""
        yield from self.tool_attempts(record, field)
        names = {"model": record._name, "name": record._name, "id": str(record.id), "slug": "text"}
        for kind, template in self.env["mcp.resource"]._templates().items():
            own = {**names, "report": "base.report_irmodeloverview"}
            if kind == "attachment":
                own["id"] = next((str(each.id) for owner, each in self.attachments.items() if owner == record), "1")
            uri = SCHEME + "/".join([kind, *(own[parameter] for parameter in template.parameters)])
            for form in (uri, f"{uri}?format=json"):
                yield f"resource {form}", lambda form=form: self.rpc("resources/read", uri=form)
                yield f"fetch {form}", lambda form=form: json.dumps(self.call("fetch", profile="narrow", id=form))
            for parameter in template.parameters:
                reference = {"type": "ref/resource", "uri": template.uri}
                yield from self.completions(reference, parameter, record)
        for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            yield method, lambda method=method: self.rpc(method)
        for prompt in self.env["mcp.prompt"].search([]):
            chosen = {"model": record._name, "field": field or "name", "record": str(record.id)}
            given = {each.name: chosen.get(each.kind, WORD) for each in prompt.argument_ids}
            yield (
                f"prompt {prompt.name}",
                lambda name=prompt.name, given=given: self.rpc("prompts/get", name=name, arguments=given),
            )
            for argument in prompt.argument_ids:
                yield from self.completions({"type": "ref/prompt", "name": prompt.name}, argument.name, record)

    def tool_attempts(self, record, field=None):
        values = self.values(record, field)
        for spec in self.registry_as()._specs().values():
            # What the pipeline itself takes is the same for all tools.
            properties = {name: each for name, each in spec.schema["properties"].items() if name not in spec.common}
            required = spec.schema.get("required", ())
            base = {name: values[name][0] for name in required if values.get(name)}
            for name in ["model", *properties]:
                for value in values[name] if name in values else self.guesses(properties.get(name, {}), record, field):
                    if name in properties:
                        given = {**base, name: value}
                        if "model" in properties and name in ("id", "ids", "field", "values"):
                            given["model"] = record._name
                        if "ids" in properties and name in ("values", "action"):
                            given["ids"] = [record.id]
                        yield (
                            f"tool {spec.name} {sorted(given)}",
                            lambda tool=spec.name, given=given: json.dumps(self.call(tool, profile="narrow", **given)),
                        )

    def guesses(self, schema, record, field):
        """Return what an argument of unknown meaning may ask with."""
        if "enum" in schema:
            return schema["enum"][-1:]
        words = [field or record._name, WORD]
        by_type = {"string": words, "integer": [record.id], "boolean": [True], "object": [{field or "name": WORD}]}
        if schema.get("type") == "array":
            return [[each] for each in by_type.get(schema.get("items", {}).get("type"), ())]
        return by_type.get(schema.get("type"), ())

    def completions(self, reference, argument, record):
        for value in (WORD, WORD.lower(), str(record.id)):
            yield (
                f"completion {reference} {argument} {value}",
                lambda value=value: self.rpc(
                    "completion/complete",
                    ref=reference,
                    argument={"name": argument, "value": value},
                    context={"arguments": {"model": record._name}},
                ),
            )

    def rpc(self, method, **params):
        """Return the answer to a request, or its error, as text."""
        exchange = self.exchange(profile="narrow", method=method, params=params)
        try:
            return json.dumps(self.registry_as().env["mcp.server"]._handle(exchange), default=str)
        except McpError as error:
            return json.dumps([error.message, getattr(error, "data", None)], default=str)

    # What must hold

    def state_of(self, *records):
        self.env.flush_all()
        return [
            self.env.execute_query(
                SQL("SELECT hashtext(t::text) FROM %s t WHERE id = %s", SQL.identifier(record._table), record.id)
            )
            for record in records
        ]

    @contextlib.contextmanager
    def undoing(self):
        """Take back what an attempt does to what is open, so that each starts from the same."""
        with contextlib.closing(self.env.cr.savepoint()) as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()

    def check_each(self, record, *kept, field=None):
        """Try every path; the secret is never told, and what must be kept stays as it is."""
        before = self.state_of(*kept)
        tried = 0
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            for label, attempt in self.attempts(record, field):
                with self.subTest(path=label), self.undoing():
                    self.assertNotIn(SECRET, attempt())
                    self.assertEqual(self.state_of(*kept), before)
                tried += 1
        self.assertGreater(tried, 150)

    def test_the_attempts_find_what_is_open(self):
        """Without limits the same attempts do find the secret: the other tests can fail."""
        record = self.secret_partner()
        self.rule.unlink()
        found = set()
        for label, attempt in self.attempts(record):
            with self.undoing():
                found |= {" ".join(label.split()[:2])} if SECRET in attempt() else set()
        tools = {label.removeprefix("tool ") for label in found if label.startswith("tool ")}
        readers = {"odoo_search_records", "odoo_read_thread", "odoo_read_files", "odoo_aggregate_records", "search"}
        self.assertGreaterEqual(tools, readers)
        self.assertGreaterEqual({label.split()[0] for label in found}, {"resource", "fetch", "completion"})

    def test_closed_model(self):
        record = self.secret_category()
        self.check_each(record, record, self.attachments[record])

    def test_records_outside_the_condition(self):
        record = self.secret_partner()
        self.rule.domain = '[["function", "=", "inside"]]'
        self.check_each(record, record, self.attachments[record])

    def test_messages_and_activities_of_what_is_closed(self):
        record = self.secret_partner()
        self.rule.write({"pattern": "mail.*"})
        for model in ("mail.message", "mail.activity"):
            with self.subTest(model=model):
                found = self.call("odoo_search_records", profile="narrow", model=model, fields=["id", "subject"]
                                  if model == "mail.message" else ["id", "summary"])  # fmt: skip
                self.assertFalse(found["isError"], found)
                self.assertNotIn(SECRET, json.dumps(found))
        self.rule.write({"pattern": "*"})
        found = self.ok("odoo_search_records", profile="narrow", model="mail.message", fields=["subject"])
        self.assertIn(SECRET, json.dumps(found))
        self.rule.copy({"pattern": "res.partner", "domain": '[["function", "=", "inside"]]', "sequence": 1})
        found = self.ok("odoo_search_records", profile="narrow", model="mail.message", fields=["subject"])
        self.assertNotIn(SECRET, json.dumps(found))
        self.assertTrue(record.exists())

    def test_closed_field_by_denial(self):
        self.secret_field()
        self.rule.write({"fields_mode": "deny", "field_names": "ref"})
        self.check_each(self.partner, field="ref")
        self.assertEqual(self.partner.ref, f"{WORD} {SECRET}")

    def test_closed_field_by_a_list(self):
        self.secret_field()
        self.rule.write({"fields_mode": "allow", "field_names": "name, function, child_ids, parent_id, category_id"})
        with mute_logger("odoo.addons.base.models.ir_rule", "odoo.addons.base.models.ir_model"):
            for label, attempt in self.tool_attempts(self.partner, "ref"):
                with self.subTest(path=label), self.undoing():
                    self.assertNotIn(SECRET, attempt())

    def test_closed_field_cannot_be_compared(self):
        """Not only its value: whether it is what somebody guesses."""
        self.rule.write({"fields_mode": "deny", "field_names": "ref"})
        self.registry_as()
        values = self.values(self.partner, "ref")
        places = (
            "domain",
            "filters",
            "order",
            "group_by",
            "measures",
            "fields",
            "values",
            "updates",
            "rows",
            "records",
        )
        for spec in self.registry_as()._specs().values():
            properties = spec.schema["properties"]
            for name in set(places) & set(properties):
                given = {each: self.values(self.partner)[each][0] for each in spec.schema.get("required", ())}
                if name in ("order", "measures") and "group_by" in properties:
                    given["group_by"] = ["parent_id"]
                if spec.name == "odoo_update_records":
                    given |= {"values": {"function": "x"}} if name == "domain" else {}
                    given |= {"ids": self.partner.ids} if name == "values" else {"expected_count": 1}
                for value in values[name]:
                    if spec.name == "odoo_create_records" and "category_id" in str(value):
                        continue
                    with self.subTest(tool=spec.name, argument=name, value=value), self.undoing():
                        result = self.call(spec.name, profile="narrow", **{**given, name: value})
                        self.assertTrue(result["isError"], result)
                        self.assertIn("profile:field", self.rules_in(result), result)

    def rules_in(self, result):
        error = result["structuredContent"]["error"]
        # Sorting groups names the groups that can be sorted by; rows are refused one by one.
        sorts = error["code"] == "invalid_order" and "only by" in error["message"]
        return ["profile:field"] if sorts or "is closed by" in error["message"] else [error.get("rule")]

    def test_closed_method(self):
        self.rule.methods = "action_nothing"
        found = self.fails("policy_denied", "odoo_run_action", profile="narrow", model="res.partner",
                           ids=self.partner.ids, action="action_archive")  # fmt: skip
        self.assertEqual(found["rule"], "profile:method")
        self.assertTrue(self.partner.active)

    def test_closed_tool(self):
        listed = json.loads(self.rpc("tools/list"))["tools"]
        self.assertGreater(len(listed), 10)
        for spec in list(self.registry_as()._specs().values()):
            self.profile.tools_denied = spec.name
            with self.subTest(tool=spec.name):
                arguments = {name: self.values(self.partner)[name][0] for name in spec.schema.get("required", ())}
                found = self.fails("policy_denied", spec.name, profile="narrow", **arguments)
                self.assertEqual(found["rule"], "profile:tool")
                self.assertNotIn(spec.name, [tool["name"] for tool in json.loads(self.rpc("tools/list"))["tools"]])

    def test_resource_of_a_closed_tool(self):
        templates = self.env["mcp.resource"]._templates()
        self.assertTrue(all(template.tool for template in templates.values() if template.kind != "plan"))
        for kind, template in templates.items():
            self.profile.tools_denied = template.tool
            values = {"model": "res.partner", "name": "res.partner", "id": "1", "slug": "text", "report": "x"}
            uri = SCHEME + "/".join([kind, *(values[parameter] for parameter in template.parameters)])
            with self.subTest(kind=kind):
                self.assertIn("profile:toolset", self.rpc("resources/read", uri=uri))
                self.assertNotIn(f'"{template.uri}"', self.rpc("resources/templates/list") + self.rpc("resources/list"))

    def test_wrong_company(self):
        second = self.env["res.company"].create({"name": "Second"})
        self.user.company_ids += second
        self.profile.company_ids = self.user.company_id
        record = self.secret_partner(company_id=second.id, parent_id=False)
        self.check_each(record, record)
        for spec in self.registry_as()._specs().values():
            if "company_id" in spec.schema["properties"]:
                required = {name: self.values(self.partner)[name][0] for name in spec.schema.get("required", ())}
                self.fails("invalid_company", spec.name, profile="narrow", **required, company_id=second.id)

    def test_no_company_left(self):
        self.profile.company_ids = self.env["res.company"].create({"name": "Other"})
        self.assertEqual(self.fails("policy_denied", "odoo_get_context", profile="narrow")["rule"], "profile:company")

    def test_wrong_address(self):
        self.profile.ip_allowed = "192.0.2.0/24"
        refused = set()
        for label, attempt in self.attempts(self.partner):
            answer = attempt()
            # Lists of what there is are refused with the connection, before any method runs.
            if "/list" not in label:
                with self.subTest(path=label):
                    for success in ('"isError": false', '"contents": [', '"messages": ['):
                        self.assertNotIn(success, answer)
                    refused |= {" ".join(label.split()[:2])} if "not open to 127.0.0.1" in answer else set()
        names = {f"tool {name}" for name in self.registry_as()._specs()}
        self.assertGreaterEqual(refused, {name for name in names if name != "tool odoo_import_records"})
