import JWTKit
import CArgon2
