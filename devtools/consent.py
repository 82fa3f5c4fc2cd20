"""A person at the login pages of OAuth in a real Chromium: opens the address a client gives, logs in, allows.

As a program (`python -m devtools.consent ADDRESS LOGIN PASSWORD`) for those that run outside the client venv.
"""

import json
import sys

from . import chromium

_LOGIN = """(() => {
    const form = document.querySelector("form.oe_login_form");
    if (!form || document.readyState !== "complete") return false;
    form.login.value = %(login)s;
    form.password.value = %(password)s;
    form.querySelector("button[type=submit]").click();
    return true;
})()"""
_ALLOW = """(() => {
    const button = document.querySelector("button[name=decision][value=%s]");
    if (!button || document.readyState !== "complete") return false;
    button.click();
    return true;
})()"""
_LEFT = "!['/oauth/authorize/continue', '/oauth/consent'].includes(location.pathname)"
_FORM = "Boolean(document.querySelector('form.oe_login_form, button[name=decision]'))"
_IS_LOGIN = "Boolean(document.querySelector('form.oe_login_form'))"


def answer(page, address, login, password, decision="allow"):
    """Open an authorization request, log in if asked, press the button, and wait until the browser has gone on."""
    page.go(address)
    answer_opened(page, login, password, decision)


def log_in(page, login, password):
    """Fill in Odoo's login form and send it, as soon as it is there."""
    page.wait(_LOGIN % {"login": json.dumps(login), "password": json.dumps(password)})


def answer_opened(page, login, password, decision="allow"):
    """The same where the client has opened the request."""
    page.wait(_FORM)
    if page.run(_IS_LOGIN):
        log_in(page, login, password)
    page.wait(_ALLOW % decision)
    page.wait(_LEFT)


if __name__ == "__main__":
    with chromium.running() as browser:
        answer(browser.page(), *sys.argv[1:])
