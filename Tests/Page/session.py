#!/usr/bin/env python3
"""Who is signed in: kept over a reload, the same in every tab, gone in all of them after a log-out, and begun at a provider.

The server has a provider of OpenID Connect named `corp` that logs browsers in without a question.

usage: session.py [BASE] [--screenshots DIR]
"""

import re

from browser import Person, arguments, chromium, expect, finish

PASSWORD = "correct horse battery"
REFRESH = "__Host-coduel_refresh"


def register(anna: Person) -> None:
    anna.open()
    anna.page.get_by_role("button", name="Log in or register").click()
    dialog = anna.page.get_by_role("dialog")
    dialog.get_by_role("button", name="I am new here").click()
    dialog.get_by_label("Handle").fill(anna.name)
    dialog.get_by_label("E-mail").fill(f"{anna.name}@example.org")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Register").click()
    signed_in(anna.page, anna.name)


def signed_in(page, name: str) -> None:
    expect(page.locator(".who-name")).to_contain_text(name)


def signed_out(page) -> None:
    expect(page.get_by_role("button", name="Log in or register")).to_be_visible()
    expect(page.locator(".who-name")).to_have_count(0)


def refresh_cookie(anna: Person) -> dict:
    return next(one for one in anna.context.cookies() if one["name"] == REFRESH)


def no_script_has_it(anna: Person) -> None:
    cookie = refresh_cookie(anna)
    assert cookie["httpOnly"] and cookie["secure"] and cookie["sameSite"] == "Strict", cookie
    held = anna.page.evaluate("document.cookie + JSON.stringify(sessionStorage) + JSON.stringify(localStorage)")
    assert cookie["value"] not in held


def in_every_tab(anna: Person) -> list:
    before = refresh_cookie(anna)["value"]
    anna.page.reload()
    signed_in(anna.page, anna.name)
    assert refresh_cookie(anna)["value"] != before, "a reload exchanges the token"
    tabs = [anna.context.new_page() for _ in range(4)]
    # All at once, several times: each asks for new tokens, and none of them ends the session.
    for _ in range(3):
        for tab in tabs:
            tab.goto(anna.base, wait_until="commit")
        for tab in tabs:
            signed_in(tab, anna.name)
    anna.page.reload()
    signed_in(anna.page, anna.name)
    return tabs


def leave(anna: Person, tabs: list) -> None:
    tabs[0].get_by_role("button", name="Log out").click()
    for tab in [anna.page, *tabs]:
        signed_out(tab)
    anna.page.reload()
    signed_out(anna.page)
    assert REFRESH not in [one["name"] for one in anna.context.cookies()]


def at_a_provider(anna: Person, tabs: list) -> None:
    anna.page.goto(anna.base + "/#/reset-password")
    anna.page.get_by_role("button", name="Log in or register").click()
    link = anna.page.get_by_role("link", name="Log in with corp")
    expect(link).to_be_visible()
    anna.picture("10-log-in")
    link.click()
    # Back where the log-in was asked for, signed in, here and in the other tabs.
    anna.page.wait_for_url(re.compile("#/reset-password$"))
    for tab in [anna.page, *tabs]:
        signed_in(tab, "visitor")
    no_script_has_it(anna)
    anna.page.goto(anna.base + "/#/sign-in-failed/access_denied")
    expect(anna.page.get_by_text("The log-in was given up.")).to_be_visible()
    anna.page.get_by_role("link", name="To the lobby").click()
    signed_in(anna.page, "visitor")


def another_person(anna: Person, tabs: list) -> None:
    """One tab logs in as somebody else: the others do not go on as the one before."""
    anna.page.get_by_role("button", name="Log out").click()
    signed_out(tabs[0])
    tabs[0].get_by_role("button", name="Log in or register").click()
    dialog = tabs[0].get_by_role("dialog")
    dialog.get_by_label("Handle or e-mail").fill(anna.name)
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in", exact=True).click()
    for tab in [anna.page, *tabs]:
        signed_in(tab, anna.name)


def as_guest(ben: Person) -> None:
    ben.open()
    card = ben.page.locator(".card-pair")
    card.get_by_label("Play as").fill(ben.name)
    card.get_by_role("button", name="Open a pair room").click()
    ben.adopt_name()
    expect(ben.editor()).to_be_visible()
    ben.page.reload()
    signed_in(ben.page, ben.name)
    expect(ben.editor()).to_be_visible()
    no_script_has_it(ben)


def main() -> None:
    options = arguments(__doc__)
    with chromium() as browser:
        anna, ben = (Person(browser, name, options) for name in ("anna", "ben"))
        register(anna)
        no_script_has_it(anna)
        tabs = in_every_tab(anna)
        leave(anna, tabs)
        at_a_provider(anna, tabs)
        another_person(anna, tabs)
        as_guest(ben)
        finish([anna, ben], "session")


if __name__ == "__main__":
    main()
