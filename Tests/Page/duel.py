#!/usr/bin/env python3
"""The story in three browsers: two guests fight a duel through the page, a third person watches.

usage: duel.py [BASE] [--problems DIR] [--screenshots DIR]
"""

import re

from browser import Person, arguments, chromium, expect, finish, solution


def queue(person: Person) -> None:
    person.open()
    card = person.page.locator(".card-duel")
    card.get_by_label("Play as").fill(person.name)
    expect(card.get_by_role("checkbox", name="Python")).to_be_checked()
    card.get_by_role("button", name="Find an opponent").click()
    person.adopt_name()


def wait_for_room(person: Person) -> str:
    person.page.wait_for_url(re.compile(r"#/rooms/"))
    return person.page.url.split("#/rooms/")[1]


def phase(person: Person, name: str) -> None:
    expect(person.page.locator(f'main[data-phase="{name}"]')).to_be_visible()


def meet(anna: Person, ben: Person, carla: Person) -> str:
    queue(anna)
    expect(anna.page.get_by_text("Looking for an opponent")).to_be_visible()
    anna.picture("1-queue")
    queue(ben)
    room = wait_for_room(anna)
    assert wait_for_room(ben) == room, "the two are in different rooms"
    carla.open(f"/?watch={room}")
    for person in (anna, ben, carla):
        phase(person, "running")
        for player in (anna, ben):
            expect(person.page.locator(".score")).to_contain_text(player.name)
        expect(person.page.locator(".clock")).to_have_text(re.compile(r"^\d+:\d\d"))
    expect(carla.page.locator(".room-bar")).to_contain_text("You are watching")
    return room


def talk(anna: Person, ben: Person, carla: Person) -> None:
    anna.say("chat", "good luck <b>Ben</b>")
    ben.hears("chat", "good luck <b>Ben</b>")
    ben.say("chat", "you too")
    anna.hears("chat", "you too")
    carla.say("chat-watchers", "hello from the gallery")
    carla.hears("chat-watchers", "hello from the gallery")
    expect(carla.page.locator('[data-chat="chat"]')).to_have_count(0)
    expect(anna.page.locator('[data-chat="chat-watchers"]')).to_have_count(0)


def fail_once(anna: Person, ben: Person, carla: Person) -> None:
    anna.editor().click()
    anna.page.keyboard.type('print("no such answer")')
    expect(anna.editor()).to_contain_text('print("no such answer")')
    anna.page.keyboard.press("Control+Enter")
    expect(anna.page.locator(".desk-own .submit-line")).to_contain_text("Wrong answer")
    expect(anna.page.locator(".feed")).to_contain_text("Your submission: Wrong answer")
    for person in (ben, carla):
        expect(person.page.locator(".feed")).to_contain_text(f"{anna.name}'s submission: Wrong answer")
        expect(person.page.locator(".player", has_text=anna.name).locator(".player-verdicts")).to_have_text("WA")
    expect(ben.page.locator(".desk-other")).to_have_count(0)
    expect(carla.page.locator(".desk-other")).to_have_count(2)
    anna.picture("2-wrong")
    carla.picture("3-watching")


def win(anna: Person, ben: Person, carla: Person, source: str) -> None:
    ben.editor().click()
    ben.page.keyboard.type("# my own work")
    ben.page.keyboard.press("Enter")
    ben.paste(source)
    expect(ben.editor()).to_contain_text("# my own work")
    ben.picture("4-right")
    ben.page.keyboard.press("Escape")
    expect(ben.page.get_by_role("button", name="Submit")).to_be_focused()
    ben.page.keyboard.press("Enter")
    for person, text in ((ben, "You win"), (anna, f"{ben.name} wins"), (carla, f"{ben.name} wins")):
        phase(person, "finished")
        expect(person.page.locator(".result")).to_contain_text(text)
    expect(ben.page.locator(".desk-own .submit-line")).to_contain_text("Accepted")


def look_back(anna: Person, ben: Person, carla: Person) -> None:
    code = {anna: "no such answer", ben: "# my own work"}
    for person, others in ((anna, [ben]), (ben, [anna]), (carla, [anna, ben])):
        for other in others:
            desk = person.page.get_by_label(f"Editor of {other.name}").locator(".cm-content")
            expect(desk).to_contain_text(code[other])
            expect(desk).to_have_attribute("contenteditable", "false")
    carla.hears("chat", "good luck")
    for person in (anna, ben):
        person.hears("chat-watchers", "hello from the gallery")
    for title, person in (("5-lost", anna), ("6-won", ben), ("7-watched", carla)):
        person.picture(title)
    # A reload is a new page with the same session: everything is still there.
    anna.page.reload()
    expect(anna.page.locator(".result")).to_contain_text(f"{ben.name} wins")
    expect(anna.editor()).to_contain_text("no such answer")
    anna.hears("chat", "you too")


def main() -> None:
    options = arguments(__doc__)
    with chromium() as browser:
        anna, ben, carla = (Person(browser, name, options) for name in ("anna", "ben", "carla"))
        meet(anna, ben, carla)
        problem = anna.page.locator(".statement[data-problem]").get_attribute("data-problem")
        expect(carla.page.locator(f'.statement[data-problem="{problem}"]')).to_be_visible()
        talk(anna, ben, carla)
        fail_once(anna, ben, carla)
        win(anna, ben, carla, solution(options.problems, problem))
        look_back(anna, ben, carla)
        finish([anna, ben, carla], "duel")


if __name__ == "__main__":
    main()
