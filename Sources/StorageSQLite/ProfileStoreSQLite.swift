import Foundation
import GRDB
import Identity

/// Profiles and avatars in `coduel.db`.
public struct ProfileStoreSQLite: ProfileStore {
    private let database: CoduelDatabase

    public init(_ database: CoduelDatabase) {
        self.database = database
    }

    public func profile(of userID: String) async throws -> Profile {
        try await database.read { db in
            let row = try Row.fetchOne(
                db, sql: "SELECT * FROM profiles WHERE user_id = ?", arguments: [userID])
            var profile = try row.map(Self.profile) ?? Profile()
            profile.avatarAtMs = try Int64.fetchOne(
                db, sql: "SELECT set_at_ms FROM avatars WHERE user_id = ?", arguments: [userID])
            return profile
        }
    }

    public func setProfile(_ profile: Profile, of userID: String) async throws {
        try await database.write { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO profiles
                        (user_id, display_name, country, languages, time_zone, bio) VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    userID, profile.displayName, profile.country,
                    profile.languages.joined(separator: ","), profile.timeZone, profile.bio,
                ])
        }
    }

    public func avatar(of userID: String) async throws -> Avatar? {
        try await database.read { db in
            try Row.fetchOne(db, sql: "SELECT * FROM avatars WHERE user_id = ?", arguments: [userID]).map {
                Avatar(
                    mediaType: try $0.text("media_type"), bytes: try $0.bytes("bytes"),
                    setAtMs: try $0.integer("set_at_ms"))
            }
        }
    }

    public func setAvatar(_ avatar: Avatar?, of userID: String) async throws {
        try await database.write { db in
            guard let avatar else {
                return try db.execute(sql: "DELETE FROM avatars WHERE user_id = ?", arguments: [userID])
            }
            try db.execute(
                sql:
                    "INSERT OR REPLACE INTO avatars (user_id, media_type, bytes, set_at_ms) VALUES (?, ?, ?, ?)",
                arguments: [userID, avatar.mediaType, Data(avatar.bytes), avatar.setAtMs])
        }
    }

    private static func profile(_ row: Row) throws -> Profile {
        Profile(
            displayName: try row.optionalText("display_name"), country: try row.optionalText("country"),
            languages: try row.text("languages").split(separator: ",").map(String.init),
            timeZone: try row.optionalText("time_zone"), bio: try row.optionalText("bio"))
    }
}
