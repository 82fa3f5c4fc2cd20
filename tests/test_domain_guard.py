import json
from datetime import datetime

from odoo.fields import NO_ACCESS
from odoo.tests import new_test_user, tagged

from ..models import domain_guard
from ..services.errors import ToolError
from .common import McpCase


@tagged("post_install", "-at_install")
class TestDomainGuard(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Partner = cls.env["res.partner"]
        cls.france = cls.env.ref("base.fr")
        cls.parent = Partner.create({"name": "Guard Parent", "is_company": True, "country_id": cls.france.id})
        cls.child = Partner.create({"name": "Guard Child", "parent_id": cls.parent.id, "email": "child@guard.example"})
        cls.archived = Partner.create({"name": "Guard Archived", "active": False})
        cls.all = cls.parent + cls.child + cls.archived

    def found(self, raw=None, model="res.partner", among=None, user=None, **criteria):
        """Return which of our records the checked domain finds."""
        call = self.make_call(user=user)
        checked = domain_guard.checked(call, model, raw, **criteria)
        among = self.all if among is None else among
        records = call.env[model].with_context(active_test=checked.active_test)
        return self.env[model].browse(records.search(checked.domain).ids) & among

    def refused(self, raw=None, model="res.partner", code="invalid_filter", user=None, **criteria):
        call = self.make_call(user=user)
        with self.assertRaises(ToolError) as caught:
            domain_guard.checked(call, model, raw, **criteria)
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        return caught.exception

    # What is taken

    def test_domains_as_list_json_and_python(self):
        leaf = ["name", "=", "Guard Child"]
        for raw in (
            [leaf],
            [tuple(leaf)],
            json.dumps([leaf]),
            "[('name', '=', 'Guard Child')]",
            "[('name', '=', 'Guard Child'), ('active', '=', True), ('ref', '=', None)]",
            ["|", leaf, ["name", "=", "nobody"]],
            ["&", leaf, "!", ["name", "=", "nobody"]],
            [leaf, [1, "=", 1]],
            ["!", "|", ["name", "!=", "Guard Child"], ["id", "=", self.parent.id]],
        ):
            with self.subTest(raw=raw):
                self.assertEqual(self.found(raw), self.child)

    def test_values_by_field_type(self):
        cases = [
            (["id", "=", str(self.child.id)], self.child),
            (["id", "in", [self.child.id, self.parent.id]], self.child + self.parent),
            (["id", "=", [self.child.id]], self.child),
            (["id", ">=", self.child.id], self.child),
            (["id", ">", 0], self.parent + self.child),
            (["parent_id", "=", self.parent.id], self.child),
            (["parent_id", "=", f"{self.parent.id}"], self.child),
            (["parent_id", "ilike", "guard par"], self.child),
            (["parent_id", "=", False], self.parent),
            (["parent_id", "!=", None], self.child),
            (["parent_id.country_id.code", "=", "FR"], self.child),
            (["parent_id", "any", [["name", "=", "Guard Parent"]]], self.child),
            (["child_ids", "any", [["email", "ilike", "guard.example"]]], self.parent),
            (["id", "child_of", self.parent.id], self.parent + self.child),
            (["id", "parent_of", [self.child.id]], self.parent + self.child),
            (["is_company", "=", "true"], self.parent),
            (["is_company", "=", 0], self.child),
            (["type", "=", "contact"], self.parent + self.child),
            (["type", "=", "CONTACT"], self.parent + self.child),
            (["create_date", "=", "today"], self.parent + self.child),
            (["create_date", "<", "today"], self.parent.browse()),
            (["create_date", "<=", "this_month"], self.parent + self.child),
            (["create_date.year_number", "=", datetime.now().year], self.parent + self.child),
            (["create_date", ">", "2000-01-01T00:00:00Z"], self.parent + self.child),
            (["name", "=ilike", "guard c%"], self.child),
            (["NAME".lower(), "ILIKE", "guard child"], self.child),
            (["name", "NOT  ilike", "child"], self.parent),
            (["name", "==", "Guard Child"], self.child),
            (["display_name", "ilike", "guard child"], self.child),
        ]
        ours = ["name", "ilike", "guard"]
        for leaf, expected in cases:
            with self.subTest(leaf=leaf):
                self.assertEqual(self.found([ours, leaf]), expected)

    def test_a_date_means_the_callers_whole_day(self):
        self.user.tz = "Asia/Tokyo"
        # 23:30 on the 15th in UTC is 08:30 on the 16th in Tokyo.
        self.env.cr.execute("UPDATE res_partner SET create_date = '2026-01-15 23:30:00' WHERE id = %s", [self.child.id])
        self.env.invalidate_all()
        ours = ["id", "=", self.child.id]
        cases = [
            (["create_date", "=", "2026-01-16"], True),
            (["create_date", "=", "2026-01-15"], False),
            (["create_date", "!=", "2026-01-15"], True),
            (["create_date", ">", "2026-01-15"], True),
            (["create_date", ">", "2026-01-16"], False),
            (["create_date", "<=", "2026-01-16"], True),
            (["create_date", "<", "2026-01-16"], False),
            (["create_date", "=", "2026-01"], True),
            (["create_date", "in", ["2025", "2026-01-16"]], True),
            (["create_date", ">=", "2026-01-16T08:30:00+09:00"], True),
            (["create_date", ">=", "2026-01-15T23:31:00Z"], False),
            (["create_date", "<", "2026-01-16 08:31:00"], True),
        ]
        for leaf, expected in cases:
            with self.subTest(leaf=leaf):
                self.assertEqual(bool(self.found([ours, leaf])), expected)

    def test_me_and_my_company(self):
        self.assertEqual(self.found([["id", "=", "me"]], model="res.users", among=self.user, user=self.user), self.user)
        self.assertEqual(self.found([["user_ids", "in", ["me"]]], among=self.user.partner_id), self.user.partner_id)
        self.assertEqual(self.found([["id", "=", "me"]], among=self.user.partner_id), self.user.partner_id)
        company = self.env.company
        self.assertEqual(self.found([["id", "=", "my_company"]], model="res.company", among=company), company)
        self.refused([["country_id", "=", "me"]])
        self.refused([["country_id", "=", "my_company"]])

    def test_flat_filters(self):
        contact = {"field": "name", "op": "contains", "value": "guard"}
        cases = [
            ([{"field": "parent_id", "op": "contains", "value": "guard parent"}], "all", self.child),
            ([{"field": "is_company", "op": "eq", "value": "false"}], "all", self.child),
            ([{"field": "email", "op": "is_set"}], "all", self.child),
            ([{"field": "email", "op": "is_not_set"}], "all", self.parent),
            ([{"field": "id", "op": "between", "values": [str(self.child.id), str(self.child.id)]}], "all", self.child),
            ([{"field": "create_date", "op": "within", "value": "last_7_days"}], "all", self.parent + self.child),
            ([{"field": "type", "op": "contains", "value": "cont"}], "all", self.parent + self.child),
            ([{"field": "country_id.code", "op": "eq", "value": "FR"}], "all", self.parent + self.child),
        ]
        for filters, match, expected in cases:
            with self.subTest(filters=filters):
                self.assertEqual(self.found(filters=[contact, *filters], match=match), expected)
        either = [{"field": "name", "op": "eq", "value": name} for name in ("Guard Child", "Guard Parent")]
        self.assertEqual(self.found(filters=either, match="any"), self.parent + self.child)
        self.assertFalse(self.found(filters=either, match="all"))

    def test_archived_records_when_asked(self):
        ours = [["name", "ilike", "guard"]]
        self.assertEqual(self.found(ours), self.parent + self.child)
        self.assertEqual(self.found(ours, archived="include"), self.all)
        self.assertEqual(self.found(ours, archived=True), self.all)
        self.assertEqual(self.found(ours, archived="only"), self.archived)
        self.assertEqual(self.found(ids=self.all.ids), self.all)
        self.assertFalse(self.found(ids=[]))
        self.refused(model="res.country", archived="only")

    def test_query_finds_words_in_any_order_and_field(self):
        self.assertEqual(self.found(query="child guard"), self.child)
        self.assertEqual(self.found(query="guard guard.example"), self.child)
        self.assertFalse(self.found(query="guard nobody"))
        self.assertFalse(self.found(query="g%ard"))
        self.refused(query=" ")

    # What is refused, never read as "everything"

    def test_what_is_not_a_domain_is_an_error_with_its_position(self):
        cases = [
            ("", "list"),
            ("all", "character 1"),
            ("{}", "JSON list"),
            ("true", "JSON list"),
            ("[['name', '=', 'x'", "character"),
            ("[('user_id', '=', uid)]", '"me"'),
            ("[(x for x in ().__class__.__bases__)]", "character"),
            (False, "bool"),
            ({}, "dict"),
            (7, "int"),
            (["name", "=", "x"], "single condition"),
            ([["name", "="]], "domain[0]"),
            ([["name", "=", "x"], "x"], "domain[1]"),
            ([["name", "=", "x"], None], "domain[1]"),
            ([[]], "domain[0]"),
            ([["name", "=", "x", "y"]], "domain[0]"),
            ([[["name"], "=", "x"]], "domain[0]"),
            ([[1, "=", 2]], "domain[0]"),
            ([["", "=", "x"]], "field name"),
            ([["name.", "=", "x"]], "field name"),
            (["|", ["name", "=", "x"]], "domain[0]"),
            (["&"], "domain[0]"),
            (["!"], "domain[0]"),
            ([["name", "=", "x"], "|"], "domain[1]"),
            ([["name", "bogus", "x"]], "domain[0]"),
            ([["name", None, "x"]], "domain[0]"),
            ([["parent_id", "any", [["name", "wrong", "x"]]]], "domain[0][2][0]"),
        ]
        for raw, hint in cases:
            with self.subTest(raw=raw):
                error = self.refused(raw)
                self.assertIn(hint, f"{error.message} {error.fix}")
                self.assertTrue(error.fix)

    def test_values_that_do_not_fit_are_refused(self):
        cases = [
            ["parent_id", "=", "Guard Parent"],
            ["parent_id", "=", True],
            ["parent_id", "in", [True]],
            ["parent_id", "in", []],
            ["parent_id", "not in", []],
            ["parent_id", "=", 0],
            ["parent_id", "=", -1],
            ["parent_id", "=", 2**40],
            ["parent_id", "=", 1.5],
            ["parent_id", "=", {"id": 1}],
            ["parent_id", ">", 1],
            ["parent_id", "any", "[]"],
            ["parent_id", "any", 5],
            ["parent_id", "any", True],
            ["parent_id", "any", None],
            ["name", "any", []],
            ["name", "child_of", 1],
            ["id", "=", "abc"],
            ["id", "child_of", False],
            ["id", "child_of", "Guard"],
            ["country_id", "child_of", 1],
            ["name", "=", True],
            ["name", "=", {"a": 1}],
            ["name", "ilike", ""],
            ["name", "ilike", "   "],
            ["name", "not ilike", False],
            ["name", "ilike", ["a"]],
            ["name", "=like", "a\\"],
            ["name", "=", "a\x00b"],
            ["name", "<", False],
            ["name", "in", list(range(10_001))],
            ["is_company", "=", "maybe"],
            ["is_company", "=", 2],
            ["is_company", "ilike", "t"],
            ["color", "=", "red"],
            ["color", "=", True],
            ["color", "=", float("nan")],
            ["color", "=", 1.5],
            ["color", "ilike", "1"],
            ["type", "=", "no such thing"],
            ["type", "ilike", "no such thing"],
            ["create_date", "=", "soon"],
            ["create_date", "=", 2026],
            ["create_date", "ilike", "2026"],
            ["create_date", ">", "9999-12-31"],
            ["create_date.month_number", "=", "January"],
            ["create_date.month", "=", 1],
            ["create_date.month_number.x", "=", 1],
            ["name.x", "=", 1],
            ["image_1920", "!=", False],
            ["image_1920.x", "=", 1],
        ]
        for leaf in cases:
            with self.subTest(leaf=leaf):
                self.assertTrue(self.refused([leaf]).fix)

    def test_unknown_names_are_answered_with_real_ones(self):
        error = self.refused([["nmae", "=", "x"]], code="unknown_field")
        self.assertIn("name", error.details["nearest"])
        self.refused([["parent_id.nmae", "=", "x"]], code="unknown_field")
        self.refused([["__class__", "=", "x"]], code="unknown_field")
        self.refused([["name", "=", "x"]], model="res.partnr", code="unknown_model")

    def test_wrong_selection_is_answered_with_the_choices(self):
        self.assertIn("invoice", self.refused([["type", "=", "invoce"]]).message)

    def test_size_and_depth_are_limited(self):
        deep = [["id", "=", 1]]
        for _level in range(domain_guard.MAX_DEPTH + 1):
            deep = [["parent_id", "any", deep]]
        self.refused(deep)
        self.refused([["id", "=", 1]] * (domain_guard.MAX_LEAVES + 1))
        self.refused(["!"] * 2000 + [["id", "=", 1]])
        self.refused([["parent_id." * 7 + "name", "=", "x"]])
        wide = [["parent_id", "any", [["id", "=", 1]] * 60]] * 2
        self.refused(wide)

    # Defences: each of these fails when its defence is taken out

    def test_internal_operators_are_refused_in_any_case(self):
        for operator in ("any!", "ANY!", "Any!", "not any!", "NOT ANY!", "not  Any!", "any! ", "=?"):
            with self.subTest(operator=operator):
                self.refused([["parent_id", operator, [["id", ">", 0]]]])
                self.refused([["child_ids", "any", [["parent_id", operator, []]]]])

    def test_record_rules_hold_inside_any(self):
        rule = self.env["ir.rule"].create(
            {
                "name": "guard",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": f"[('id', '!=', {self.child.id})]",
            }
        )
        self.assertTrue(rule)
        self.assertFalse(self.found([["child_ids", "any", [["name", "=", "Guard Child"]]]]))
        self.assertFalse(self.found([["child_ids.name", "=", "Guard Child"]]))

    def test_record_rules_hold_for_links_to_many(self):
        tag = self.env["res.partner.category"].create({"name": "Guard Tag"})
        self.parent.category_id = tag
        linked = (
            ("category_id", tag, [["category_id", "in", [tag.id]]], [["category_id", "!=", False]]),
            ("child_ids", self.child, [["child_ids", "=", self.child.id]], [["child_ids", "!=", False]]),
        )
        for name, record, by_id, any_at_all in linked:
            with self.subTest(field=name):
                self.assertEqual(self.found(by_id), self.parent)
                self.assertEqual(self.found(any_at_all), self.parent)
                self.env["ir.rule"].create(
                    {
                        "name": "guard",
                        "model_id": self.env["ir.model"]._get_id(record._name),
                        "domain_force": f"[('id', '!=', {record.id})]",
                    }
                )
                self.assertFalse(self.found(by_id))
                self.assertFalse(self.found(any_at_all))
                self.assertIn(self.parent, self.found([[name, "=", False]]))
                self.assertIn(self.parent, self.found([[name, "not in", [record.id]]]))
                self.assertIn(self.parent, self.found([[name, "in", [record.id, False]]]))

    def test_archived_records_are_linked_too(self):
        tag = self.env["res.partner.category"].create({"name": "Guard Tag", "active": False})
        self.parent.category_id = tag
        self.assertEqual(self.found([["category_id", "in", [tag.id]]]), self.parent)
        self.assertEqual(self.found([["category_id", "!=", False]]), self.parent)

    def test_fields_with_groups_are_closed_on_every_path(self):
        # Odoo runs `search=` of a field without a column before it looks at the groups.
        for name, leaf in (("activity_state", ["=", "overdue"]), ("email", ["=", "child@guard.example"])):
            field = self.env["res.partner"]._fields[name]
            for groups in ("base.group_system", NO_ACCESS):
                with self.subTest(name=name, groups=groups):
                    self.patch(field, "groups", groups)
                    self.refused([[name, *leaf]], code="access_denied")
                    self.refused([[f"parent_id.{name}", *leaf]], code="access_denied")
                    self.refused([["child_ids", "any", [[name, *leaf]]]], code="access_denied")
                    self.refused(["!", ["child_ids", "not any", [[name, *leaf]]]], code="access_denied")
                    flat = [{"field": f"parent_id.{name}", "op": "is_set"}]
                    self.refused(filters=flat, code="access_denied")
            self.patch(field, "groups", None)

    def test_closed_name_fields_are_not_searched_by_name(self):
        self.assertIn("email", self.env["res.partner"]._rec_names_search)
        self.patch(self.env["res.partner"]._fields["email"], "groups", "base.group_system")
        self.refused([["display_name", "ilike", "guard.example"]], code="access_denied")
        self.refused([["parent_id", "ilike", "guard.example"]], code="access_denied")
        self.refused([["parent_id.display_name", "=", "guard.example"]], code="access_denied")
        self.assertFalse(self.found(query="guard.example"))
        self.assertEqual(self.found(query="guard child"), self.child)

    def test_secret_field_is_refused_by_the_guardrail_even_to_an_administrator(self):
        admin = new_test_user(self.env, "guard_admin", groups="base.group_system")
        for model, leaf in (
            ("res.users", ["password", "!=", False]),
            ("res.users", ["password", "=like", "a%"]),
            ("res.partner", ["user_ids.password", "=like", "a%"]),
            ("res.partner", ["user_ids", "any", [["password", "=like", "a%"]]]),
            ("res.partner", ["signup_type", "=", "reset"]),
        ):
            with self.subTest(leaf=leaf):
                error = self.refused([leaf], model=model, user=admin, code="policy_denied")
                self.assertEqual(error.details["rule"], "guardrail:field")

    def test_unreachable_models_are_closed_on_every_path(self):
        admin = new_test_user(self.env, "guard_admin", groups="base.group_system")
        for model, leaf in (
            ("res.users", ["api_key_ids", "!=", False]),
            ("res.users", ["api_key_ids.name", "ilike", "a"]),
            ("res.users", ["api_key_ids", "any", [["name", "ilike", "a"]]]),
            ("res.users", ["log_ids.create_date", "=", "today"]),
            ("res.users", ["log_ids", "in", [1]]),
            ("res.users", ["action_id", "=", 1]),
            ("res.users", ["action_id", "ilike", "a"]),
            ("res.groups", ["rule_groups.name", "ilike", "a"]),
            ("res.groups", ["model_access", "any", []]),
            ("res.groups", ["view_access", "ilike", "a"]),
            ("ir.config_parameter", ["key", "ilike", "secret"]),
        ):
            with self.subTest(leaf=leaf):
                with self.assertRaises(ToolError) as caught:
                    domain_guard.checked(self.make_call(user=admin), model, [leaf])
                self.assertIn(caught.exception.code, ("policy_denied", "access_denied"))

    def test_models_without_access_are_closed_on_every_path(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "res.partner.bank")]).active = False
        self.assertFalse(self.env["res.partner.bank"].with_user(self.user).has_access("read"))
        for leaf in (
            ["bank_ids", "!=", False],
            ["bank_ids", "in", [1]],
            ["bank_ids.acc_number", "=like", "1%"],
            ["bank_ids", "any", [["acc_number", "=like", "1%"]]],
            ["bank_ids", "ilike", "1"],
            ["bank_ids", "child_of", [1]],
        ):
            with self.subTest(leaf=leaf):
                self.refused([leaf], code="access_denied")

    def test_hierarchies_need_access_to_their_model(self):
        self.env["ir.model.access"].search([("model_id.model", "=", "res.partner.category")]).active = False
        self.refused([["category_id", "child_of", [1]]], code="access_denied")

    def test_computed_fields_without_search_say_so(self):
        self.assertIn("computed", self.refused([["tz_offset", "=", "+0100"]]).message)

    def test_a_search_method_that_cannot_is_no_crash(self):
        self.refused([["display_name.x", "=", "a"]])

        def refuse(records, operator, value):
            raise NotImplementedError("not this operator")

        self.patch(self.env["res.partner"]._fields["activity_state"], "search", refuse)
        self.refused([["activity_state", "=", "overdue"]])


@tagged("post_install", "-at_install", "mcp_full")
class TestDomainGuardOnApps(TestDomainGuard):
    """The same on a database with apps, and what only apps have."""

    def test_private_meetings_are_not_found_by_what_is_hidden_of_them(self):
        times = {"start": "2030-01-01 10:00:00", "stop": "2030-01-01 11:00:00"}
        private = {**times, "privacy": "private", "user_id": self.env.ref("base.user_admin").id}
        owner = self.env.ref("base.user_admin").partner_id
        events = self.env["calendar.event"].create(
            [
                {**private, "name": "Merger one", "partner_ids": [(6, 0, owner.ids)]},
                {**private, "name": "Merger two", "partner_ids": [(6, 0, (owner + self.user.partner_id).ids)]},
                {**times, "name": "Merger three", "privacy": "public"},
            ]
        )
        shown = events[1:]
        self.assertEqual(self.found([["name", "ilike", "merger"]], "calendar.event", events), shown)
        self.assertEqual(self.found(None, "calendar.event", events, query="merger"), shown)
        self.assertEqual(self.found([["start", ">", "2029-12-31"]], "calendar.event", events), events)
        found = self.found([["event_id.name", "ilike", "merger"]], "calendar.attendee", events.attendee_ids)
        self.assertEqual(found.event_id, shown.filtered("attendee_ids"))
        self.refused([["event_id", "ilike", "merger"]], "calendar.attendee")
        with self.assertRaises(ToolError):
            domain_guard.check_groupby(self.make_call(), "calendar.attendee", "event_id.name")
