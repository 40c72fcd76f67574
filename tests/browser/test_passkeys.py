"""Passkeys, with a virtual authenticator in a real Chromium: made, used as a second factor's place,
and for signing in without a password."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.stage import ADDRESS, PORT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
# passkeys belong to a name; 127.0.0.1 is none
HOME = f"http://localhost:{PORT}"


@pytest.fixture
def page(password: str, signed_in: tuple[Browser, Any]) -> Iterator[Page]:
    context = signed_in[0].new_context(reduced_motion="reduce")
    opened = context.new_page()
    wire = context.new_cdp_session(opened)
    wire.send("WebAuthn.enable")
    wire.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    opened.goto(f"{HOME}/accounts/login/")
    opened.get_by_label("Login").fill("demo")
    opened.get_by_label("Password").fill(password)
    opened.get_by_role("button", name="Sign in", exact=True).click()
    opened.wait_for_url(f"{HOME}/")
    yield opened
    context.close()


def confirm(page: Page, password: str) -> None:
    """Who changes factors says the password once more."""
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Confirm").click()


def test_a_passkey_is_made_signs_in_and_is_taken_back(page: Page, password: str) -> None:
    page.goto(f"{HOME}/accounts/2fa/webauthn/add/")
    confirm(page, password)
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    page.wait_for_url("**/accounts/2fa/recovery-codes/**")
    page.context.clear_cookies()
    page.goto(f"{HOME}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url(f"{HOME}/")
    page.goto(f"{HOME}/accounts/2fa/webauthn/")
    expect(page.get_by_text("Passkey", exact=True)).to_be_visible()
    page.get_by_role("link", name="Remove").click()
    confirm(page, password)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No security keys have been added.")).to_be_visible()


def test_a_browser_without_a_passkey_is_told_why_nothing_happens(page: Page) -> None:
    page.context.clear_cookies()
    page.goto(f"{ADDRESS}/accounts/login/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_be_visible()
