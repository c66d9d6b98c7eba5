import Foundation
import Identity
import Rooms
import StorageSQLite
import Testing

/// All that is kept about a person is told, and goes.
@Suite struct PersonalDataTests {
    /// Whoever adds a table with a column for a person has to say what becomes of it.
    @Test func everyTableAboutPeopleIsListed() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let found = try await PersonalDataSQLite.columnsOfPeople(database)
        #expect(found.contains("submissions.user_id") && found.contains("accounts.id"))
        let listed = Set(PersonalDataSQLite.tables.map { "\($0.name).\($0.owner)" })
        #expect(found.subtracting(listed).sorted() == [])
        #expect(listed.subtracting(found).sorted() == [])
    }

    @Test func exportsAndErases() async throws {
        let scratch = Scratch()
        let database = try scratch.open()
        let accounts = AccountStoreSQLite(database)
        for name in ["ann", "bob"] {
            _ = try await accounts.insert(
                Account(id: name, handle: name, email: "\(name)@x.org", roles: [.user], createdAtMs: 1),
                passwordHash: "secret-\(name)")
            try await ProfileStoreSQLite(database).setProfile(Profile(bio: "bio of \(name)"), of: name)
            try await ProfileStoreSQLite(database).setAvatar(
                Avatar(mediaType: "image/png", bytes: [1, 2], setAtMs: 1), of: name)
            try await ChatArchiveSQLite(database).store(
                [
                    ChatLine(
                        id: "line-\(name)", author: ChatPerson(id: name, handle: name), text: "by \(name)",
                        at: "2026-01-01T00:00:00.000Z")
                ], document: "chat", room: name)
        }
        let data = PersonalDataSQLite(database)
        let text = try await data.export(of: "ann")
        let export = try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [[String: Any]]])
        #expect(export["accounts"]?.first?["email"] as? String == "ann@x.org")
        #expect(export["profiles"]?.first?["bio"] as? String == "bio of ann")
        #expect(export["avatars"]?.first?["bytes"] as? String == "AQI=")
        #expect(export["chat"]?.first?["text"] as? String == "by ann")
        #expect(!text.contains("secret") && !text.contains("bob"))

        #expect(try await accounts.erase("ann", handle: "deleted-1"))
        try await data.erase("ann", handle: "deleted-1")
        let left = try await data.export(of: "ann")
        #expect(!left.contains("ann@x.org") && !left.contains("bio of ann") && !left.contains("by ann"))
        #expect(try await accounts.credentials(id: "ann")?.passwordHash == nil)
        #expect(try await accounts.credentials(handle: "ann") == nil)
        let other = try await data.export(of: "bob")
        #expect(other.contains("bob@x.org") && other.contains("by bob"))
    }
}
