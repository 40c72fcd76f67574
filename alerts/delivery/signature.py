"""How a receiver knows that a webhook is ours."""

import hashlib
import hmac

HEADER = "X-Tapelog-Signature"


def signed(body: bytes, secret: bytes, now: int) -> str:
    """`t=<epoch s>,v1=<hex HMAC-SHA256 of "t.body">`."""
    code = hmac.new(secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={code}"
