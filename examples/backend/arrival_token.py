"""Sign the arrival of a contextId in one conversation, with PyJWT.

ARRIVAL_KEY=… python arrival_token.py CONTEXT_ID SENDER_ID [NOW]
"""

import os
import sys
import time

import jwt


def arrival_token(key: str, context_id: str, sender_id: str, now: int) -> str:
    """Return a token that is valid for a minute."""
    claims = {"contextId": context_id, "sub": sender_id, "iat": now, "exp": now + 60}
    return jwt.encode(claims, key, algorithm="HS256")


if __name__ == "__main__":
    key, (context_id, sender_id, *times) = os.environ["ARRIVAL_KEY"], sys.argv[1:]
    print(arrival_token(key, context_id, sender_id, int(times[0] if times else time.time())))
