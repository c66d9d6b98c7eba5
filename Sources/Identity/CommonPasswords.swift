/// The passwords that every guesser tries first, of those with eight characters or more, in lower case. A longer
/// list belongs to a breached-password service; this one only stops the worst.
enum CommonPasswords {
    static let all: Set<String> = [
        "12345678", "123456789", "1234567890", "0123456789", "987654321", "9876543210", "11223344",
        "12341234",
        "123123123", "123321123", "147258369", "123qweasd", "1q2w3e4r", "1q2w3e4r5t", "1q2w3e4r5t6y",
        "1qaz2wsx",
        "1qaz2wsx3edc", "zaq12wsx", "qwertyui", "qwertyuiop", "qwerty12", "qwerty123", "qwerty1234",
        "qwerty12345",
        "qwertz123", "azerty123", "azertyuiop", "asdfghjk", "asdfghjkl", "asdf1234", "zxcvbnm1", "zxcvbnm123",
        "abcd1234", "abc12345", "abc123456", "abcdefgh", "abcdefghi", "a1b2c3d4", "a1234567", "a12345678",
        "aa123456", "aa12345678", "password", "password1", "password12", "password123", "password1234",
        "passw0rd", "p@ssw0rd", "p@ssword", "pa$$word", "passwort", "passwort1", "motdepasse", "contraseña",
        "changeme", "changeme1", "changeme123", "letmein1", "letmein123", "welcome1", "welcome123",
        "admin123",
        "admin1234", "admin12345", "administrator", "root1234", "rootroot", "test1234", "testtest",
        "testing123",
        "test12345", "guest123", "user1234", "login123", "default1", "secret123", "topsecret", "computer",
        "internet", "iloveyou", "iloveyou1", "sunshine", "princess", "football", "football1", "baseball",
        "basketball", "superman", "batman123", "starwars", "pokemon123", "dragon123", "monkey123",
        "shadow123",
        "master123", "michael1", "jennifer", "jordan23", "trustno1", "whatever", "samsung1", "samsung123",
        "google123", "facebook", "minecraft", "liverpool", "chelsea1", "arsenal1", "november", "december",
        "september", "summer2024", "summer2025", "winter2024", "winter2025", "spring2025", "autumn2025",
    ]
}
