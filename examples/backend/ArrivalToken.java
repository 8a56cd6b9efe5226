// Sign the arrival of a contextId in one conversation, with jose4j.
//
// ARRIVAL_KEY=… java -cp jose4j.jar:slf4j-api.jar ArrivalToken.java CONTEXT_ID SENDER_ID [NOW]
import static java.nio.charset.StandardCharsets.UTF_8;

import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.NumericDate;
import org.jose4j.keys.HmacKey;
import org.jose4j.lang.JoseException;

public class ArrivalToken {

    /** Returns a token that is valid for a minute. */
    static String arrivalToken(String key, String contextId, String senderId, long now)
            throws JoseException {
        JwtClaims claims = new JwtClaims();
        claims.setStringClaim("contextId", contextId);
        claims.setSubject(senderId);
        claims.setIssuedAt(NumericDate.fromSeconds(now));
        claims.setExpirationTime(NumericDate.fromSeconds(now + 60));
        JsonWebSignature token = new JsonWebSignature();
        token.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
        token.setHeader("typ", "JWT");
        token.setPayload(claims.toJson());
        token.setKey(new HmacKey(key.getBytes(UTF_8)));
        return token.getCompactSerialization();
    }

    public static void main(String[] args) throws JoseException {
        long now = args.length > 2 ? Long.parseLong(args[2]) : System.currentTimeMillis() / 1000;
        System.out.println(arrivalToken(System.getenv("ARRIVAL_KEY"), args[0], args[1], now));
    }
}
