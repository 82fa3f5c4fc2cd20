"""Pinned versions of everything ./dev fetches (Python packages: requirements/*.txt)."""

ODOO_SERIES = "19.0"
ODOO_PACKAGE = "odoo-19"
ODOO_VERSION = "19.0.0+dfsg-1"

# Static files of these packages are what links inside the Odoo package point to.
ODOO_STATIC_PACKAGES = (
    "libjs-jquery",
    "libjs-underscore",
    "libjs-jquery-form",
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-roboto-unhinted",
    "fonts-ocr-b",
)

ODOO_LEFT_OUT = "mail/static/lib/selfie_segmentation/selfie_segmentation.js"

NODE_PACKAGES = {
    "@anthropic-ai/claude-code": "2.1.329",
    "@modelcontextprotocol/conformance": "0.2.0-alpha.12",
    "@modelcontextprotocol/inspector": "2.12.0",
    "@modelcontextprotocol/client": "2.4.0",
    "@modelcontextprotocol/sdk": "1.32.2",
    "conformance-of-2025": "npm:@modelcontextprotocol/conformance@0.1.16",
    "mcp-remote": "0.15.1",
    "sdk-of-2024": "npm:@modelcontextprotocol/sdk@1.0.4",
    "sdk-of-2025": "npm:@modelcontextprotocol/sdk@1.17.5",
    "sdk-of-spring-2025": "npm:@modelcontextprotocol/sdk@1.12.3",
}
