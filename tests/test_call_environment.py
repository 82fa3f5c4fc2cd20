from odoo.tests import tagged

from ..models.call_environment import call_environment
from ..services.policy import CompiledPolicy
from .common import McpCase

POLICY = CompiledPolicy(())


@tagged("post_install", "-at_install")
class TestCallEnvironment(McpCase):
    def setUp(self):
        super().setUp()
        self.second = self.env["res.company"].create({"name": "Second Company"})
        self.user.company_ids += self.second
        self.base = self.registry_as().env

    def test_main_company_comes_first_and_all_are_visible(self):
        env = call_environment(self.base, POLICY)
        self.assertEqual(env.company, self.user.company_id)
        self.assertEqual(env.companies, self.user.company_ids)

    def test_company_id_narrows_to_that_company(self):
        env = call_environment(self.base, POLICY, company_id=self.second.id)
        self.assertEqual(env.companies, self.second)

    def test_change_of_companies_is_seen(self):
        call_environment(self.base, POLICY)
        self.user.company_id = self.second
        self.assertEqual(call_environment(self.registry_as().env, POLICY).company, self.second)

    def test_time_zone_and_language_are_the_users(self):
        self.user.tz = "Asia/Tokyo"
        env = call_environment(self.registry_as().env, POLICY)
        self.assertEqual((env.context["tz"], env.context["lang"]), ("Asia/Tokyo", "en_US"))

    def test_nothing_of_the_incoming_context_survives(self):
        env = call_environment(self.base(context={"default_active": False, "tracking_disable": True}), POLICY)
        self.assertFalse({"default_active", "tracking_disable"} & set(env.context))
