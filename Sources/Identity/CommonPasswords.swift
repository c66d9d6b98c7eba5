/// The passwords that every guesser tries first, of those with eight characters or more, in lower case. A longer
/// list belongs to a breached-password service; this one only stops the worst.
///
/// Most are made as people make them: a word that many choose, and an ending that many add.
package enum CommonPasswords {
    /// More than a thousand, made once.
    package static let all: Set<String> = {
        var made = Set(asTheyAre.split(whereSeparator: \.isWhitespace).map(String.init))
        for word in words.split(whereSeparator: \.isWhitespace) {
            for ending in endings where word.count + ending.count >= Limits.passwordLength.lowerBound {
                made.insert(word + ending)
            }
        }
        return made
    }()

    private static let endings = [
        "", "1", "12", "123", "1234", "12345", "123456", "!", "1!", "123!", "01", "69", "99", "2000", "2020",
        "2023",
        "2024", "2025", "2026",
    ]

    private static let words = """
        password passw0rd p@ssw0rd p@ssword pa$$word passwort motdepasse contrase\u{F1}a qwerty qwertz azerty asdfgh
        asdf zxcvbn zxcvbnm abc abcd abc123 a1b2c3 qwe123 letmein welcome changeme default secret topsecret login access
        hello admin administrator root user guest test testing tester temp demo student teacher manager server system
        computer internet security superuser iloveyou loveme lovely sunshine princess angel baby sweetheart forever
        freedom whatever killer hunter ranger gamer ninja hacker wizard legend champion master shadow dragon monkey tiger
        lion eagle panther falcon dolphin butterfly flower purple orange silver golden diamond summer winter spring autumn
        monday friday january november december september football baseball basketball hockey soccer tennis golfer
        liverpool chelsea arsenal barcelona juventus realmadrid yankees lakers cowboys steelers superman batman spiderman
        starwars pokemon minecraft fortnite naruto matrix mustang ferrari porsche mercedes corvette yamaha harley
        samsung google facebook microsoft windows apple nokia linux ubuntu michael jennifer jordan jessica charlie daniel
        thomas robert andrew joshua matthew anthony ashley nicole amanda michelle william george patrick martin alexander
        cookie pepper ginger banana chocolate cheese coffee trustno1 blink182 code coder python java
        """

    private static let asTheyAre = """
        12345678 123456789 1234567890 01234567 0123456789 87654321 987654321 9876543210 0987654321 11223344 12341234
        123123123 123321123 147258369 159753456 741852963 789456123 123456abc 123qweasd 123abc123 1q2w3e4r 1q2w3e4r5t
        1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 zaq12wsx zaq1zaq1 q1w2e3r4 q1w2e3r4t5 qwer1234 qweasdzxc qwertyui
        qwertyuiop azertyuiop asdfghjk asdfghjkl poiuytrewq lkjhgfdsa mnbvcxz1 abcdefgh abcdefghi a1b2c3d4 a1b2c3d4e5
        a1234567 a12345678 a123456789 aa123456 aa12345678 rootroot testtest passpass loveyou1 jordan23 ncc1701d thx1138a
        """
}
