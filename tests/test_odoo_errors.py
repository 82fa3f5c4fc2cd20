import psycopg2
from odoo.exceptions import AccessError, MissingError, RedirectWarning, UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..models.odoo_errors import translated
from .common import McpCase


@tagged("post_install", "-at_install")
class TestOdooErrors(McpCase):
    def test_odoos_own_words_reach_the_model(self):
        cases = [
            (AccessError("No right here."), "access_denied"),
            (MissingError("It is gone."), "not_found"),
            (ValidationError("Too long."), "invalid_value"),
            (UserError("Close the period first."), "business_rule"),
            (RedirectWarning("Set up accounts.", 1, "Go"), "business_rule"),
        ]
        for error, code in cases:
            found = translated(error, self.env)
            self.assertEqual((found.code, found.message), (code, str(error.args[0])))
            self.assertTrue(found.fix)

    def test_constraint_gets_odoos_message_without_sql(self):
        country = self.env["res.country"].create({"name": "Testland", "code": "ZZ"})
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError) as caught, self.cr.savepoint():
            self.cr.execute("UPDATE res_country SET code = 'BE' WHERE id = %s", [country.id])
        found = translated(caught.exception, self.env)
        self.assertEqual(found.code, "invalid_value")
        self.assertNotIn("res_country", found.message)

    def test_fault_of_ours_is_not_blamed_on_the_caller(self):
        self.assertIsNone(translated(psycopg2.InternalError("current transaction is aborted"), self.env))
