import Foundation
import GRDB

/// Columns read without traps: a value of an unexpected kind (a damaged or foreign file) is an error.
extension Row {
    func text(_ column: String) throws -> String { try required(column) }
    func integer(_ column: String) throws -> Int64 { try required(column) }
    func real(_ column: String) throws -> Double { try required(column) }

    func optionalText(_ column: String) throws -> String? { try optional(column) }
    func optionalInteger(_ column: String) throws -> Int64? { try optional(column) }

    func bytes(_ column: String) throws -> [UInt8] {
        let data: Data = try required(column)
        return Array(data)
    }

    func flag(_ column: String) throws -> Bool { try integer(column) != 0 }

    /// A raw value of an enumeration, stored as text.
    func choice<Choice: RawRepresentable<String>>(_ column: String) throws -> Choice {
        guard let choice = Choice(rawValue: try text(column)) else { throw Self.corrupt(column) }
        return choice
    }

    /// A value stored as JSON text.
    func json<Value: Decodable>(_ column: String) throws -> Value {
        let text = try text(column)
        do {
            return try JSONDecoder().decode(Value.self, from: Data(text.utf8))
        } catch {
            throw Self.corrupt(column)
        }
    }

    private func required<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        guard let value: Value = try optional(column) else { throw Self.corrupt(column) }
        return value
    }

    private func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        guard hasColumn(column) else { throw Self.corrupt(column) }
        let stored: DatabaseValue = self[column]
        guard !stored.isNull else { return nil }
        guard let value = Value.fromDatabaseValue(stored) else { throw Self.corrupt(column) }
        return value
    }

    private static func corrupt(_ column: String) -> StorageError {
        StorageError(code: .corrupt, message: "column \(column) holds no such value")
    }
}

/// JSON text of a value, with sorted keys; throws `.invalidValue` for numbers that JSON has not.
func jsonText(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
        throw StorageError(code: .invalidValue, message: "a value cannot be written as JSON")
    }
}

/// Placeholders for `count` values: `?,?,?`.
func placeholders(_ count: Int) -> String {
    String(repeating: "?,", count: max(0, count - 1)) + (count > 0 ? "?" : "")
}
