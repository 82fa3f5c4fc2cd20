from odoo.tests import BaseCase, tagged

from ..services import topics
from ..services.uri import Address


@tagged("post_install", "-at_install")
class TestServiceTopics(BaseCase):
    def test_a_record_hears_of_itself_and_of_many(self):
        record = Address("odoo://record/res.partner/7", "record", {"model": "res.partner", "id": 7})
        found = topics.of_uri(record.uri, record)
        self.assertEqual(found, ("uri:odoo://record/res.partner/7", "record:res.partner", "record:res.partner:7"))
        self.assertEqual(topics.watched(record), ("res.partner", 7))

    def test_chatter_and_files(self):
        chatter = Address("odoo://chatter/res.partner/7", "chatter", {"model": "res.partner", "id": 7})
        self.assertIn("chatter:res.partner:7", topics.of_uri(chatter.uri, chatter))
        self.assertNotIn("record:res.partner:7", topics.of_uri(chatter.uri, chatter))
        file = Address("odoo://attachment/3", "attachment", {"id": 3})
        self.assertIn("record:ir.attachment:3", topics.of_uri(file.uri, file))

    def test_what_is_no_record_hears_of_what_it_is_made_of(self):
        model = Address("odoo://model/res.partner", "model", {"name": "res.partner"})
        self.assertLess({"policy", "schema", "modules"}, set(topics.of_uri(model.uri, model)))
        self.assertIsNone(topics.watched(model))
        self.assertEqual(topics.of_uri("test://x", None), ("uri:test://x",))

    def test_many_records_are_told_as_their_model(self):
        self.assertEqual(topics.of_records("record", "a.b", [1, 2]), ["record:a.b:1", "record:a.b:2"])
        self.assertEqual(topics.of_records("record", "a.b", range(topics.MOST_RECORDS + 1)), ["record:a.b"])

    def test_many_records_in_small_portions_are_told_as_their_model_too(self):
        many = {f"record:a.b:{number}" for number in range(topics.MOST_RECORDS + 1)}
        others = {f"gone:7:odoo://record/a.b/{number}" for number in range(topics.MOST_RECORDS + 1)}
        few = {"record:c.d:1", "chatter:a.b:1", "record:e.f", "tools"}
        self.assertEqual(topics.merged(many | others | few), {"record:a.b"} | others | few)
        self.assertEqual(topics.merged(few), few)

    def test_lists_are_another_for_a_user_with_other_groups(self):
        self.assertIn("user:7", topics.of_list("tools", 7))
        self.assertIn("policy", topics.of_list("prompts", 7))
        self.assertNotIn("prompts", topics.of_list("tools", 7))
