"""An account from its first mail to its end."""

from __future__ import annotations

import json

from harness import mail, wire
from harness.api import PASSWORD, Api, EventStream, assert_problem, bundled_problems, unique
from harness.waiting import until

NEW_PASSWORD = "a longer battery staple"


def test_the_address_is_confirmed_by_mail(server):
    api = Api(server)
    ann = api.register()
    address = f"{ann.handle}@example.org"
    assert ann.get("/v1/me").json()["email_verified"] is False
    code = mail.code_for(server, address, "verify-email")
    api.call("POST", "/v1/email-verifications", json={"code": code}, expect=204)
    assert ann.get("/v1/me").json()["email_verified"] is True
    assert_problem(api.call("POST", "/v1/email-verifications", json={"code": code}), 422)
    assert "outbox" in server.log(), "the log says where the mail is"
    assert address not in server.log()

    other = f"{unique()}@example.org"
    body = {"email": other, "password": "not this one"}
    assert_problem(ann.post("/v1/me/email-verification", body), 401)
    ann.post("/v1/me/email-verification", body | {"password": PASSWORD}, expect=202)
    code = mail.code_for(server, other, "verify-email")
    api.call("POST", "/v1/email-verifications", json={"code": code}, expect=204)
    assert ann.get("/v1/me").json()["email"] == other


def test_a_forgotten_password(server):
    api = Api(server)
    ann = api.register()
    room = ann.make_pair_room()["id"]
    with wire.room_socket(server, room, "main", ann.token) as socket:
        socket.wait_synced()
        for login in (ann.handle, "nobody-here"):
            answer = api.call("POST", "/v1/password-resets", json={"login": login}, expect=202)
            assert answer.content == b""
        code = mail.code_for(server, f"{ann.handle}@example.org", "reset-password")
        body = {"code": code, "password": "password"}
        assert_problem(api.call("POST", "/v1/password-resets/complete", json=body), 422)
        body["password"] = NEW_PASSWORD
        api.call("POST", "/v1/password-resets/complete", json=body, expect=204)
        assert socket.wait_closed(2) == 4401
    assert_problem(api.call("GET", "/v1/me", token=ann.token), 401)
    assert_problem(api.call("POST", "/v1/sessions", json={"login": ann.handle, "password": PASSWORD}), 401)
    api.log_in(ann.handle, NEW_PASSWORD)
    assert_problem(api.call("POST", "/v1/password-resets/complete", json=body), 422)


def test_a_changed_password_and_other_sessions(server):
    api = Api(server)
    ann = api.register()
    phone = api.log_in(ann.handle)
    sessions = ann.get("/v1/sessions").json()["items"]
    assert [s["current"] for s in sessions] == [False, True], sessions
    assert sessions[0]["address"] == api.address and "httpx" in sessions[0]["user_agent"]
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    ann.call("PUT", "/v1/me/password", json=body, expect=204)
    ann.get("/v1/me")
    assert_problem(phone.call("GET", "/v1/me"), 401)
    laptop = api.log_in(ann.handle, NEW_PASSWORD)
    assert ann.call("DELETE", "/v1/sessions", expect=200).json() == {"ended": 1}
    assert_problem(laptop.call("GET", "/v1/me"), 401)


def test_everything_kept_is_exported_and_deleted(server):
    api = Api(server)
    ann, friend = api.register(), api.register()
    room = ann.make_pair_room()["id"]
    ann.invite(room, friend)
    ann.call("PUT", "/v1/me/profile", json={"display_name": "Ann", "bio": "likes trees"}, expect=200)
    ann.post(f"/v1/problems/{bundled_problems()[0]}/submissions", {"language": "python", "source": "print(1)"})
    events = EventStream(ann)
    answer = ann.get("/v1/me/export")
    assert "attachment" in answer.headers["content-disposition"]
    data = answer.json()
    assert data["accounts"][0]["email"] == f"{ann.handle}@example.org"
    assert data["profiles"][0]["bio"] == "likes trees"
    assert [r["id"] for r in data["rooms"]] == [room]
    assert data["invites"][0]["used_by"] == friend.id
    assert "argon2" not in answer.text and "hash" not in json.dumps(list(data["sessions"][0])), "no secret"

    assert_problem(ann.call("DELETE", "/v1/me", json={"password": "not this one"}), 401)
    ann.call("DELETE", "/v1/me", json={"password": PASSWORD}, expect=204)
    assert_problem(ann.call("GET", "/v1/me"), 401)
    until("the event stream ended", lambda: not events.is_alive())
    shown = friend.get(f"/v1/users/{ann.id}").json()
    assert shown["handle"].startswith("deleted-") and shown["bio"] is None, shown
    assert_problem(api.call("POST", "/v1/sessions", json={"login": ann.handle, "password": PASSWORD}), 401)
    admin = api.with_role("admin")
    assert_problem(admin.call("DELETE", "/v1/me", json={"password": PASSWORD}), 403)
    guest = api.guest()
    guest.call("DELETE", "/v1/me", expect=204)


def test_mails_go_to_a_mail_server(serve):
    taker = mail.MailServer(refusals=1)
    try:
        server = serve(
            "--smtp", f"smtp://127.0.0.1:{taker.port}", "--mail-from", "coduel@code.example",
            "--public-url", "https://code.example/",
        )  # fmt: skip
        ann = Api(server).register()
        # The first attempt is refused for now; the next comes 5 s later.
        until("the mail arrives", lambda: taker.messages, 20)
        sender, recipient, data = taker.messages[0]
        assert sender == "MAIL FROM:<coduel@code.example>"
        assert recipient == f"RCPT TO:<{ann.handle}@example.org>"
        message = mail.email.message_from_bytes(data)
        assert message["From"] == "Coduel <coduel@code.example>" and message["Date"] and message["Message-ID"]
        assert "https://code.example/#/verify-email/" in mail.text_of(message)
        assert f"{ann.handle}@example.org" not in server.log()
    finally:
        taker.close()
