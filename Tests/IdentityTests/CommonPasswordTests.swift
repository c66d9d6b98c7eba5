import Identity
import Testing

@Suite struct CommonPasswordTests {
    @Test func thereAreMoreThanAThousandThatCouldBeChosen() {
        #expect(CommonPasswords.all.count >= 1_000)
        for password in CommonPasswords.all {
            #expect((8...128).contains(password.unicodeScalars.count) && password == password.lowercased())
        }
    }

    @Test(arguments: ["password", "Password1", "qwerty123", "LETMEIN1", "summer2025", "iloveyou", "1q2w3e4r"])
    func theCommonestAreRefused(password: String) {
        #expect(CredentialRules.passwordFault(password, handle: "ann") != nil)
    }

    @Test(arguments: ["correct horse battery", "plum-teapot-91", "passwordless"])
    func othersAreTaken(password: String) {
        #expect(CredentialRules.passwordFault(password, handle: "ann") == nil)
    }
}
