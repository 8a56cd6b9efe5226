// Sign the arrival of a contextId in one conversation, with jose.
//
// ARRIVAL_KEY=… node arrival_token.mjs CONTEXT_ID SENDER_ID [NOW]
import { pathToFileURL } from "node:url";

import { SignJWT } from "jose";

/** Return a token that is valid for a minute. */
export function arrivalToken(key, contextId, senderId, now) {
  return new SignJWT({ contextId, sub: senderId, iat: now, exp: now + 60 })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(key));
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [contextId, senderId, now = Date.now() / 1000] = process.argv.slice(2);
  console.log(await arrivalToken(process.env.ARRIVAL_KEY, contextId, senderId, Math.floor(now)));
}
