"""fetch Odoo, start PostgreSQL, prepare the databases (the other commands do it when needed)"""

from . import databases, odoo, postgres


def add_arguments(parser):
    """Which prepared databases."""
    parser.add_argument("--size", choices=[*databases.TEMPLATES, "both"], default="both")


def run(arguments):
    """Prepare everything the other commands need."""
    ready()
    for size in databases.TEMPLATES if arguments.size == "both" else [arguments.size]:
        databases.template_with_addon(size)
    return 0


def ready():
    """PostgreSQL runs and Odoo is there; quick when it already is so."""
    odoo.get()
    postgres.start()
