"""Two people in a duel, from the tickets to the end."""

from __future__ import annotations

from collections.abc import Callable

from harness.api import Account, Api, accepted_python
from harness.peers import Document, YjsPeer
from harness.waiting import until


class Player:
    """A player with an editor: own document, state and chat open on the stock provider."""

    def __init__(self, account: Account, peer: YjsPeer, server, room: str):
        self.account, self.peer, self.server, self.room = account, peer, server, room
        self.id = account.id
        self.document_name = f"player-{account.id}"
        self.code = self.open(self.document_name)
        self.state = self.open("state")
        self.chat = self.open("chat")

    def open(self, document: str, **options) -> Document:
        return self.peer.open_room(self.server, self.room, document, self.account.token, **options)

    def submit(self, **more) -> dict:
        """Submits the player's own document over HTTP, once it holds what the editor holds."""
        return self.account.submit(
            self.room, document=self.document_name, state_vector=self.code.state()["vector"], **more
        )


class Duel:
    """A room that two new accounts were matched into; both have their documents open."""

    def __init__(self, api: Api, yjs: Callable[[], YjsPeer], **ticket):
        self.api, self.server = api, api.server
        accounts = [api.register(), api.register()]
        tickets = [account.enter_queue(**ticket) for account in accounts]
        rooms = [account.matched_room(ticket) for account, ticket in zip(accounts, tickets)]
        assert rooms[0] == rooms[1], f"two lone equal tickets were matched into different rooms: {rooms}"
        self.room = rooms[0]
        self.alice, self.bob = (Player(account, yjs(), self.server, self.room) for account in accounts)
        for player in (self.alice, self.bob):
            for document in (player.code, player.state, player.chat):
                document.synced()

    def wait_phase(self, *phases: str, state: Document | None = None, timeout: float = 25) -> dict:
        """Waits until `state` shows one of the phases; its `room` map."""
        state = state or self.alice.state

        def look():
            room = state.map("room")
            return room if room.get("phase") in phases else None

        try:
            return until(f"phase {' or '.join(phases)}", look, timeout)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; room {state.map('room')}; players {state.map('players')}") from None

    def run(self) -> "Duel":
        """Waits until the battle runs and the problem is known."""
        room = self.wait_phase("running")
        self.problem_id = room["problem_id"]
        assert self.problem_id, f"a running battle names its problem; room {room}"
        return self

    def solution(self) -> str:
        return accepted_python(self.problem_id)

    def win(self, player: Player, timeout: float = 60) -> dict:
        """`player` writes and submits a right solution and the battle ends; the room map."""
        player.code.replace(self.solution())
        found = player.account.verdict(player.submit()["id"], timeout)
        assert found["verdict"] == "AC", f"the bundled solution of {self.problem_id} got {found['verdict']}: {found}"
        room = self.wait_phase("finished", state=player.state)
        assert room["winner"] == player.id, f"winner {room['winner']}, expected {player.id}"
        return room


def finished_events(state: Document, submission_id: str) -> list[dict]:
    """Entries of `events` that tell the verdict of the submission."""
    return [
        event for event in state.array("events") if submission_id in str(event) and event.get("verdict") is not None
    ]
