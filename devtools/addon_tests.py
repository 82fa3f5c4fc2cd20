"""What the test files of the addon say: which classes there are, which database they ask for."""

import ast
import re

from . import addon_source, paths

# A test class tagged with this runs on the demo database with all business apps.
FULL_TAG = "mcp_full"


def spec(tags):
    """An Odoo test-tags specification from what a person types.

    `TestFoo` or `TestFoo.test_bar` is a class of ours, `test_foo` a file or a method,
    anything else is Odoo's own syntax.
    """
    if not tags:
        return ",".join(f"/{module}" for module in modules())
    return ",".join(_one(word.strip()) for word in tags.split(",") if word.strip())


def parts(count):
    """All tests as `count` test-tags specifications of about the same size; the fixtures' own are in the last."""
    files = sorted((paths.ROOT / "tests").glob("test_*.py"), key=lambda file: -file.stat().st_size)
    shares = [[f"/{paths.ADDON}/tests/{file.name}" for file in files[number::count]] for number in range(count)]
    shares[-1] += [f"/{module}" for module in addon_source.fixtures()]
    return [",".join(share) for share in shares]


def size(specification):
    """The database the chosen classes ask for: "full" if one of them has the tag, else "small"."""
    if FULL_TAG in specification:
        return "full"
    classes = set(re.findall(r":(\w+)", specification))
    return "full" if classes & _full_classes() else "small"


def any_full():
    """Whether any test class asks for the full demo database."""
    return bool(_full_classes())


def need_browser():
    """Whether any test opens pages in a browser."""
    files = [*(paths.ROOT / "tests").glob("*.py"), *paths.FIXTURES.glob("*/tests/*.py")]
    return any(re.search(r"\b(start_tour|browser_js)\(", file.read_text()) for file in files)


def modules():
    """The addons whose tests are run: ours, and the fixtures that install themselves."""
    return [paths.ADDON, *addon_source.fixtures()]


def _one(word):
    sign, word = (word[0], word[1:]) if word[0] in "+-" else ("", word)
    if re.fullmatch(r"[A-Z]\w*(\.\w+)?", word):
        return f"{sign}/{paths.ADDON}:{word}"
    if re.fullmatch(r"\.\w+", word):
        return f"{sign}/{paths.ADDON}{word}"
    if re.fullmatch(r"test_\w+(\.py)?", word):
        stem = word.removesuffix(".py")
        if (paths.ROOT / "tests" / f"{stem}.py").exists():
            return f"{sign}/{paths.ADDON}/tests/{stem}.py"
        return f"{sign}/{paths.ADDON}.{stem}"
    return sign + word


def _full_classes():
    found = set()
    for file in (paths.ROOT / "tests").glob("test_*.py"):
        try:
            tree = ast.parse(file.read_text())
        except SyntaxError:
            continue  # running the tests will say it better
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and any(FULL_TAG in ast.dump(item) for item in node.decorator_list):
                found.add(node.name)
    return found
