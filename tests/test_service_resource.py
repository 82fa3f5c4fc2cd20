from odoo.tests import BaseCase, tagged

from ..services.resource import declared, resource
from ..services.uri import Template


class Base:
    @resource("odoo://plan/{model}/{id}", title="Plan", priority=0.2)
    def _resource_plan(self, call, *, model, id):
        """What is
        planned."""

    def _resource_undeclared(self, call):
        """Not a resource."""


class Override(Base):
    def _resource_plan(self, call, *, model, id):
        return super()._resource_plan(call, model=model, id=id)


@tagged("post_install", "-at_install")
class TestResource(BaseCase):
    def test_a_declaration_is_a_template(self):
        expected = {"plan": Template("plan", ("model", "id"), "Plan", "What is planned.", "core", 0.2)}
        self.assertEqual(declared(Base), expected)
        self.assertEqual(declared(Override), expected)

    def test_inconsistent_declarations_are_refused_at_import(self):
        def _resource_plan(self, call, *, id):
            """A plan."""

        def _resource_other(self, call, *, id):
            """A plan."""

        def undescribed(self, call):
            pass

        for uri, method in (
            ("odoo://plan/{name}", _resource_plan),
            ("odoo://plan", _resource_plan),
            ("odoo://plan/{id}/lines", _resource_plan),
            ("odoo://{id}", _resource_plan),
            ("http://plan/{id}", _resource_plan),
            ("odoo://plan/{id}", _resource_other),
            ("odoo://plan", undescribed),
        ):
            with self.subTest(uri, method=method.__name__), self.assertRaises(ValueError):
                resource(uri, title="Plan")(method)
        self.assertIs(resource("odoo://plan/{id}", title="Plan")(_resource_plan), _resource_plan)
