"""What a person waits for the audit log: a real Chromium, from the click on the menu until the rows are drawn."""

import json

from . import chromium, consent

AUDIT_LIST = "audit list, 1,000,000 rows"
LOGIN = PASSWORD = "admin"
# Each takes a page load besides; the first finds caches cold and is not counted.
ROUNDS = 11
# A desktop: of a narrow window Odoo makes cards instead of rows.
WINDOW = {"width": 1400, "height": 900, "deviceScaleFactor": 1, "mobile": False}
# Any page of the same app without much to load itself.
START = "/odoo/mcp-sessions"
MENU, ITEM = '[data-menu-xmlid="mcp_endpoint.menu_mcp_activity"]', '[data-menu-xmlid="mcp_endpoint.menu_mcp_audit_log"]'
_OPENED = """(() => {
    const menu = document.querySelector(".o_list_view") && document.querySelector(%s);
    menu?.click();
    return Boolean(menu);
})()"""
_SHOWN = "Boolean(document.querySelector(%s))"
# The frame after next: by then the browser has laid out and painted what was put into the page.
_TIMED = """new Promise((done) => {
    const start = performance.now();
    const drawn = () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
    const watch = new MutationObserver(() => {
        if (document.querySelector(".o_data_row td[name=request]")) {
            watch.disconnect();
            drawn();
        }
    });
    watch.observe(document.body, {childList: true, subtree: true});
    document.querySelector(%s).click();
})"""


def rows(base):
    """Milliseconds of each opening on the server at `base`, the web client being open already."""
    with chromium.running() as browser:
        page = browser.page()
        page.resize(WINDOW)
        page.go(f"{base}/web/login")
        consent.log_in(page, LOGIN, PASSWORD)
        page.wait(_SHOWN % json.dumps(".o_main_navbar"))
        return {AUDIT_LIST: [_opening(page, base) for _round in range(ROUNDS)][1:]}


def _opening(page, base):
    page.go(base + START)
    page.wait(_OPENED % json.dumps(MENU))
    page.wait(_SHOWN % json.dumps(ITEM))
    return page.run(_TIMED % json.dumps(ITEM))
