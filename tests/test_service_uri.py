from odoo.tests import BaseCase, tagged

from ..services.uri import MAX_ID, SCHEME, Template, build, kind_of, parameters_of, parse

TEMPLATES = {
    "record": Template("record", ("model", "id"), "R", "r"),
    "context": Template("context", (), "C", "c"),
}


@tagged("post_install", "-at_install")
class TestServiceUri(BaseCase):
    def test_arguments_are_decoded_and_checked(self):
        address = parse("odoo://record/res%2Epartner/7?format=json", TEMPLATES)
        self.assertEqual(dict(address.arguments), {"model": "res.partner", "id": 7})
        self.assertEqual((address.kind, address.format), ("record", "json"))
        self.assertEqual(parse("odoo://context", TEMPLATES).format, "markdown")
        self.assertEqual(parse(f"odoo://record/x/{MAX_ID}", TEMPLATES).arguments["id"], MAX_ID)

    def test_what_cannot_be_an_argument_is_refused(self):
        for rest, message in {
            "record/res.partner": "odoo://record/{model}/{id}",
            "record/res.partner/7/8": "odoo://record/{model}/{id}",
            "record/res.partner/": "whole number",
            "record/res.partner/07": "whole number",
            "record/res.partner/+7": "whole number",
            "record/res.partner/7_0": "whole number",
            "record/res.partner/٧": "whole number",
            f"record/res.partner/{MAX_ID + 1}": "whole number",
            "record/a%2Fb/7": "technical name",
            "record/%2e%2e/7": "technical name",
            "record/a..b/7": "technical name",
            "record/.a/7": "technical name",
            "record/a%0A/7": "technical name",
            "record/%/7": "%",
            "record/%g1/7": "%",
            "record/%80/7": "UTF-8",
            "context/": "odoo://context",
            "context?format=pdf": "?format=",
            "context?": None,
            "other": "There is no kind",
            "": "There is no kind",
            "x" * 600: "longer",
        }.items():
            with self.subTest(rest):
                if message is None:
                    self.assertEqual(parse(SCHEME + rest, TEMPLATES).kind, "context")
                else:
                    with self.assertRaises(ValueError) as caught:
                        parse(SCHEME + rest, TEMPLATES)
                    self.assertIn(message, str(caught.exception))
        with self.assertRaises(ValueError):
            parse("http://record/res.partner/7", TEMPLATES)

    def test_what_is_written_is_quoted(self):
        self.assertEqual(build("record", "a/b", "c d?"), "odoo://record/a%2Fb/c%20d%3F")
        self.assertEqual(TEMPLATES["record"].uri, "odoo://record/{model}/{id}")

    def test_kind_and_variables_of_any_text(self):
        cases = {"odoo://record/{model}/{id}": "record", "odoo://context?x": "context", "x://y": None, "odoo://": ""}
        for uri, kind in cases.items():
            self.assertEqual(kind_of(uri), kind)
        self.assertEqual(parameters_of("odoo://record/{model}/{id}"), ["model", "id"])
