"""fetch Odoo, start PostgreSQL, prepare the databases (the other commands do it when needed)"""

import shutil

from . import databases, debian, odoo, postgres
from .console import say


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
    _need_pdf()


def _need_pdf():
    """Odoo makes PDF files with wkhtmltopdf. Installed rather than unpacked: it brings half of Qt."""
    if shutil.which("wkhtmltopdf"):
        return
    if shutil.which("apt-get"):
        debian.install(["wkhtmltopdf"], "PDF files of reports")
    else:
        say("  wkhtmltopdf is missing: reports have no PDF form, and their test is skipped")
