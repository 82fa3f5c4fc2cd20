"""What of the addon's source matters to an installed database, and which files are the addon."""

import ast

from . import paths, stamps

# What an installation reads. Everything else in the repository is tests or for developers.
FOLDERS = (
    "cli", "controllers", "models", "services", "wizards", "report",
    "security", "views", "data", "static", "i18n", "migrations",
)
# Read again whenever Odoo starts: a change needs no new installation.
READ_AT_START = ("cli", "controllers", "services")


def version():
    """The version in the addon's manifest."""
    return ast.literal_eval((paths.ROOT / "__manifest__.py").read_text())["version"]


def files():
    """Every file that belongs to the addon itself (not tools, not tests), sorted."""
    found = list(paths.ROOT.glob("*.py"))
    for folder in FOLDERS:
        found += [
            path for path in (paths.ROOT / folder).rglob("*")
            if "__pycache__" not in path.parts and path.suffix != ".pyc"
        ]
    return sorted(path for path in found if path.is_file())


def released_files():
    """What goes into a release: the addon with its Odoo tests, its description and its license."""
    tests = (paths.ROOT / "tests").rglob("*")
    own = [path for path in tests if path.is_file() and path.suffix != ".pyc" and not _is_for_developers(path)]
    texts = [path for path in (paths.ROOT / "README.md", paths.ROOT / "LICENSE") if path.is_file()]
    return [*files(), *sorted(own), *texts]


def _is_for_developers(path):
    """Whether a file under tests needs what only ./dev gives it."""
    return path.relative_to(paths.ROOT / "tests").parts[0] in ("e2e", "addons") or "__pycache__" in path.parts


def installed_digest():
    """Changes when the addon has to be installed again: data, views, security, models' fields."""
    return stamps.digest([
        (str(path.relative_to(paths.ROOT)), stamps.digest(_installed_part(path)))
        for path in files()
        if path.relative_to(paths.ROOT).parts[0] not in (*READ_AT_START, "static")
    ])


def assets_digest():
    """Changes when asset bundles have to be made again: static files and the manifests."""
    found = [paths.ROOT / "__manifest__.py", *paths.FIXTURES.glob("*/__manifest__.py")]
    for folder in (paths.ROOT / "static", *paths.FIXTURES.glob("*/static")):
        found += [path for path in folder.rglob("*") if path.suffix in (".js", ".xml", ".scss", ".css")]
    return _digest(sorted(found))


def fixtures_digest():
    """Changes with any file of the test addons."""
    found = (path for path in paths.FIXTURES.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return _digest(sorted(found))


def digest():
    """Changes with any file of the addon."""
    return _digest(files())


def fixtures():
    """Names of the test addons that go with every test: those that install themselves."""
    return [
        manifest.parent.name
        for manifest in sorted(paths.FIXTURES.glob("*/__manifest__.py"))
        if ast.literal_eval(manifest.read_text()).get("auto_install")
    ]


def _digest(found):
    return stamps.digest([(str(path), stamps.digest(path.read_bytes())) for path in found])


def _installed_part(path):
    """What of a file reaches the database: of a model's file, what its classes declare."""
    if path.suffix != ".py" or path.relative_to(paths.ROOT).parts[0] != "models":
        return path.read_bytes()
    try:
        tree = ast.parse(path.read_text())
    except SyntaxError:
        return path.read_bytes()
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.Module)):
            node.body = [item for item in node.body if not _runs_later(item)]
    return ast.dump(tree)


def _runs_later(node):
    """Whether a statement is a method that installing does not run."""
    return isinstance(node, ast.FunctionDef) and node.name not in ("init", "_auto_init")
