"""Asset bundles made in advance, so that no test run or first page has to wait for them.

Odoo makes all bundles before the first HTTP test (12 s), and our addon's scripts are part of some.
So they are made once in a copy that has the addon, and put into the prepared database without it:
a bundle's URL holds a digest of its content, so one that does not fit is simply not used.
"""

from . import addon_source, databases, paths, postgres, stamps
from .console import Failure, step

MAKE = """
env["ir.qweb"]._pregenerate_assets_bundles()
env.cr.commit()
"""
BUNDLES = "url LIKE '/web/assets/%' AND res_model = 'ir.ui.view'"
COLUMNS = (
    "name, res_model, res_id, res_field, type, url, public, store_fname, file_size, checksum, mimetype, "
    "create_uid, create_date, write_uid, write_date"
)


def ensure(base, base_key):
    """Put the bundles of the addon as it is now into the prepared database `base`."""
    key = stamps.digest(base_key, addon_source.assets_digest())
    attempt = stamps.digest(key, addon_source.digest())
    if stamps.is_done(f"assets-{base}", key) or stamps.is_done(f"assets-{base}-failed", attempt):
        return
    try:
        with step(f"asset bundles for {base}"):
            _make(base)
    except Failure:
        # The addon does not load as it is now. What comes next says so; it needs no bundles.
        stamps.mark_done(f"assets-{base}-failed", attempt)
        return
    stamps.mark_done(f"assets-{base}", key)


def _make(base):
    maker = f"{base}_assets"
    databases.copy(base, maker)
    try:
        modules = ",".join([paths.ADDON, *addon_source.fixtures()])
        databases.run_odoo(maker, "-i", modules, "--stop-after-init", fixtures=True)
        databases.shell(maker, MAKE, fixtures=True)
        _transfer(maker, base)
    finally:
        databases.drop(maker)


def _transfer(source, target):
    file = paths.STATE / f"{target}-bundles.copy"
    rows = f"SELECT {COLUMNS} FROM ir_attachment WHERE {BUNDLES}"
    postgres.query(f"\\copy ({rows}) TO '{file}'", source)
    postgres.query(f"DELETE FROM ir_attachment WHERE {BUNDLES}", target)
    postgres.query(f"\\copy ir_attachment ({COLUMNS}) FROM '{file}'", target)
    databases.copy_files(source, target)
    file.unlink()
