#!/usr/bin/env python3
"""A pair room in two browsers: open it, invite, write in one text, see each other's cursor, talk, submit.

usage: pair.py [BASE] [--problems DIR] [--screenshots DIR]
"""

import re

from browser import Person, arguments, chromium, expect, finish, solution


def open_room(anna: Person) -> str:
    """Anna opens a room with the first problem of the list; returns the problem's id."""
    anna.open()
    card = anna.page.locator(".card-pair")
    card.get_by_label("Play as").fill(anna.name)
    problem = card.get_by_label("Problem")
    expect(problem.locator("option").nth(1)).to_be_attached()
    identifier = problem.locator("option").nth(1).get_attribute("value")
    problem.select_option(identifier)
    card.get_by_role("button", name="Open a pair room").click()
    anna.adopt_name()
    expect(anna.editor()).to_be_visible()
    expect(anna.page.locator(f'.statement[data-problem="{identifier}"]')).to_be_visible()
    return identifier


def invite(anna: Person, ben: Person) -> None:
    anna.page.get_by_role("button", name="Invite a partner").click()
    link = anna.page.locator(".invite-link")
    expect(link).to_contain_text("#/join/")
    ben.open()
    card = ben.page.locator(".card-pair")
    card.get_by_label("Play as").fill(ben.name)
    card.get_by_label("Have an invitation?").fill(link.inner_text())
    card.get_by_role("button", name="Join").click()
    ben.adopt_name()
    ben.page.wait_for_url(re.compile(r"#/rooms/"))
    expect(ben.editor()).to_be_visible()
    for person in (anna, ben):
        for other in (anna, ben):
            expect(person.page.locator(".people")).to_contain_text(other.name)


def write_together(anna: Person, ben: Person) -> None:
    anna.editor().click()
    anna.page.keyboard.type("# written by Anna")
    expect(ben.editor()).to_contain_text("# written by Anna")
    ben.editor().click()
    ben.page.keyboard.press("Control+End")
    ben.page.keyboard.press("Enter")
    ben.page.keyboard.type("# written by Ben")
    expect(anna.editor()).to_contain_text("# written by Ben")
    expect(anna.page.locator(".peer-name")).to_have_text(ben.name)
    anna.picture("8-pair")
    # Undo is one's own: Anna's takes back her line and leaves Ben's.
    anna.page.keyboard.press("Control+z")
    expect(ben.editor()).not_to_contain_text("# written by Anna")
    expect(ben.editor()).to_contain_text("# written by Ben")


def solve(anna: Person, ben: Person, source: str) -> None:
    anna.editor().click()
    anna.page.keyboard.press("Control+a")
    anna.paste(source)
    last = source.strip().splitlines()[-1].strip()
    expect(ben.editor()).to_contain_text(last)
    anna.page.keyboard.press("Control+Enter")
    expect(anna.page.locator(".submit-line")).to_contain_text("Accepted")


def main() -> None:
    options = arguments(__doc__)
    with chromium() as browser:
        anna, ben = (Person(browser, name, options) for name in ("anna", "ben"))
        problem = open_room(anna)
        invite(anna, ben)
        write_together(anna, ben)
        ben.say("chat", "shall I?")
        anna.hears("chat", "shall I?")
        solve(anna, ben, solution(options.problems, problem))
        finish([anna, ben], "pair")


if __name__ == "__main__":
    main()
