"""The settings page as an administrator saves it, with nothing stored before, as after the installation."""

from .common import McpCase


class SettingsCase(McpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parameters = cls.env["ir.config_parameter"]
        cls.parameters.search([("key", "=like", r"mcp\_endpoint.%")]).unlink()

    def save(self, **values):
        settings = self.env["res.config.settings"].create(values)
        settings.set_values()
        return settings
