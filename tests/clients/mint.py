"""Signs CLAIMS (a JSON object) as an HS256 token with KEY: what somebody who has the key could
make by hand. Only the standard library."""

import base64
import hashlib
import hmac
import os


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


signed = encoded(b'{"alg":"HS256","typ":"JWT"}') + "." + encoded(os.environ["CLAIMS"].encode())
signature = hmac.new(os.environ["KEY"].encode(), signed.encode(), hashlib.sha256).digest()
print(signed + "." + encoded(signature))
