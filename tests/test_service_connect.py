import ast
import base64
import json
import shlex
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from odoo.tests import BaseCase, tagged

from ..services.connect import BY_KEY, GUIDES
from ..services.connect.guide import BEARER, PLACEHOLDER, TOKEN, URL, Guide, Snippet, href_of, reach_of, text_of

HOSTILE = "https://x.example/mcp?db=a&b=$HOME`id`\"'\\é%20!"
# What ordinary users have, and what an address may hold at worst.
URLS = ("https://odoo.example.com/mcp", "http://127.0.0.1:8069/mcp?db=a", HOSTILE)
SECRET = "omcp_pat_" + "aZ09-_" * 8
WITH_BRIDGE = ("claude-desktop", "bridge")


def snippets():
    """Yield every snippet there is, with its guide and the key of its way."""
    for guide in GUIDES:
        for key, way in guide.ways.items():
            for snippet in way.snippets:
                yield guide, key, snippet


def strings(value):
    """Yield all strings within parsed JSON, TOML or YAML, and the values in a syntax tree."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@tagged("post_install", "-at_install")
class TestServiceConnect(BaseCase):
    def each(self, language):
        """Yield the texts in one language for each address, within a subtest."""
        found = [item for item in snippets() if item[2].language == language]
        self.assertTrue(found)
        for guide, key, snippet in found:
            for url in URLS:
                with self.subTest(guide=guide.key, way=key, where=snippet.where, url=url):
                    yield snippet, url, text_of(snippet, url, SECRET)

    def check_values(self, snippet, url, values):
        """Assert that the address and the token arrive as they are, wherever the snippet has them."""
        values = list(values)
        content = repr(snippet.content)
        if URL in content:
            self.assertTrue(any(url in value for value in values), values)
        if TOKEN in content:
            self.assertTrue(any(SECRET in value for value in values), values)

    def test_json_parses(self):
        for snippet, url, text in self.each("json"):
            self.check_values(snippet, url, strings(json.loads(text)))

    def test_toml_parses(self):
        for snippet, url, text in self.each("toml"):
            self.check_values(snippet, url, strings(tomllib.loads(text)))

    def test_yaml_parses(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("PyYAML is not installed")
        for snippet, url, text in self.each("yaml"):
            self.check_values(snippet, url, strings(yaml.safe_load(text)))

    def test_yaml_values_are_json_strings(self):
        # With or without PyYAML: what is filled in stands in double quotes, escaped as JSON, a subset of YAML.
        for snippet, url, text in self.each("yaml"):
            quoted = [json.loads(line.split(": ", 1)[1]) for line in text.splitlines() if line.endswith('"')]
            self.check_values(snippet, url, quoted)

    def test_python_compiles(self):
        for snippet, url, text in self.each("python"):
            constants = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
            self.check_values(snippet, url, filter(lambda value: isinstance(value, str), constants))

    def test_javascript_parses(self):
        node = shutil.which("node")
        for snippet, url, text in self.each("javascript"):
            line = next(line for line in text.splitlines() if "url:" in line)
            self.check_values(snippet, url, [json.loads(line.split("url: ", 1)[1].rstrip(","))])
            for opening, closing in ("()", "[]", "{}"):
                self.assertEqual(text.count(opening), text.count(closing))
            if node:
                with tempfile.TemporaryDirectory() as folder:
                    file = Path(folder) / "snippet.mjs"
                    file.write_text(text)
                    done = subprocess.run([node, "--check", str(file)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_commands_survive_a_shell(self):
        for snippet, url, text in self.each("shell"):
            lines = text.splitlines()
            self.assertEqual(len(lines), len(snippet.content))
            for line, words in zip(lines, snippet.content, strict=True):
                expected = [word.replace(TOKEN, SECRET).replace(URL, url) for word in words]
                self.assertEqual(shlex.split(line), expected)
                # What a real shell makes of it: nothing is run, nothing is expanded.
                command = ["sh", "-c", f"printf '%s\\0' {line}"]
                done = subprocess.run(command, capture_output=True, text=True, env={"HOME": "/wrong"}, check=True)
                self.assertEqual(done.stdout.split("\0")[:-1], expected)

    def test_commands_have_no_single_quotes_for_ordinary_addresses(self):
        # The Windows prompt knows double quotes only.
        for _guide, _key, snippet in snippets():
            if snippet.language == "shell":
                self.assertNotIn("'", text_of(snippet, "https://odoo.example.com/mcp?db=a", SECRET))

    def test_cursor_link_decodes_to_the_configuration(self):
        for url in URLS:
            parts = urlsplit(href_of(BY_KEY["cursor"].login.link, url))
            self.assertEqual(
                (parts.scheme, parts.netloc, parts.path), ("cursor", "anysphere.cursor-deeplink", "/mcp/install")
            )
            query = parse_qs(parts.query, strict_parsing=True)
            self.assertEqual(query["name"], ["odoo"])
            self.assertEqual(json.loads(base64.b64decode(query["config"][0], validate=True)), {"url": url})

    def test_vscode_link_decodes_to_the_configuration(self):
        for url in URLS:
            href = href_of(BY_KEY["vscode"].login.link, url)
            start, config = href.split("?", 1)
            self.assertEqual(start, "vscode:mcp/install")
            self.assertEqual(json.loads(unquote(config)), {"name": "odoo", "type": "http", "url": url})

    def test_links_and_logins_carry_no_token(self):
        for guide in GUIDES:
            if guide.login:
                for snippet in guide.login.snippets:
                    self.assertNotIn(TOKEN, repr(snippet.content))
                self.assertNotIn(TOKEN, repr(guide.login.link))

    def test_every_token_way_says_where_the_token_goes(self):
        for guide in filter(lambda guide: guide.token, GUIDES):
            with self.subTest(guide=guide.key):
                self.assertTrue(any(TOKEN in repr(snippet.content) for snippet in guide.token.snippets))

    def test_every_way_has_steps_and_the_address(self):
        for guide in GUIDES:
            self.assertTrue(guide.ways, guide.key)
            for key, way in guide.ways.items():
                with self.subTest(guide=guide.key, way=key):
                    self.assertTrue(all(way.steps))
                    if (guide.key, key) != ("other", "token"):
                        self.assertTrue(any(URL in repr(snippet.content) for snippet in way.snippets))

    def test_steps_mark_words_in_pairs(self):
        for guide in GUIDES:
            for way in guide.ways.values():
                for step in way.steps:
                    self.assertEqual((step.count("*") % 2, step.count("`") % 2), (0, 0), step)

    def test_keys_are_unique(self):
        self.assertEqual(len(BY_KEY), len(GUIDES))

    def test_web_assistants_take_no_token(self):
        # Neither claude.ai nor ChatGPT has a field for one.
        for key in ("claude", "chatgpt"):
            self.assertTrue(BY_KEY[key].login.is_cloud)
            self.assertIsNone(BY_KEY[key].token)

    def test_bridge_is_told_to_allow_http_to_other_machines_only(self):
        for url, allowed in (
            ("https://a.b/mcp", False),
            ("http://localhost:8069/mcp", False),
            ("http://a.b/mcp", True),
        ):
            for key in WITH_BRIDGE:
                for way in BY_KEY[key].ways.values():
                    arguments = json.loads(text_of(way.snippets[0], url))["mcpServers"]["odoo"]["args"]
                    self.assertEqual("--allow-http" in arguments, allowed, url)

    def test_bridge_arguments_have_no_spaces(self):
        for key in WITH_BRIDGE:
            server = json.loads(text_of(BY_KEY[key].token.snippets[0], URLS[0], SECRET))["mcpServers"]["odoo"]
            self.assertFalse([argument for argument in server["args"] if " " in argument])
            self.assertEqual(server["env"], {"ODOO_MCP_AUTH": f"Bearer {SECRET}"})

    def test_placeholder_stands_for_the_token_until_there_is_one(self):
        header = Snippet("text", "Header", BEARER)
        self.assertEqual(text_of(header, URLS[0]), f"Bearer {PLACEHOLDER}")

    def test_address_with_a_placeholder_in_it_gets_no_token(self):
        self.assertEqual(
            text_of(Snippet("text", "Address", URL), f"https://a.b/{TOKEN}", SECRET), f"https://a.b/{TOKEN}"
        )

    def test_better_way_comes_first(self):
        guide = Guide("a", "A", "program", "", login=BY_KEY["cursor"].login, token=BY_KEY["cursor"].token)
        self.assertEqual(list(guide.ways), ["login", "token"])

    def test_reach(self):
        cases = {
            "public": ("https://odoo.example.com/mcp", "https://8.8.8.8/mcp", "https://example.com:8443/mcp"),
            "insecure": ("http://odoo.example.com/mcp", "http://8.8.8.8/mcp"),
            "private": (
                "https://odoo/mcp",
                "http://192.168.1.5:8069/mcp",
                "https://[fd00::1]/mcp",
                "https://erp.internal/mcp",
                "https://erp.lan./mcp",
                "https://169.254.169.254/mcp",
            ),
            "local": (
                "http://localhost:8069/mcp",
                "https://127.0.0.1/mcp",
                "http://[::1]:8069/mcp",
                "http://a.localhost/",
            ),
        }
        for reach, urls in cases.items():
            for url in urls:
                self.assertEqual(reach_of(url), reach, url)
