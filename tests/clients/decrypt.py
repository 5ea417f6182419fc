"""Opens encrypted webhooks as a receiver would write it, with the published packages
`standardwebhooks` and `jwcrypto`.

Each line of standard input is {"secret", "headers", "body" (base64), "key", "payload"}. Every one
must open to its payload, and must be refused as another message's, or the verdict would mean nothing.
"""

import json
import sys
from base64 import b64decode

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from standardwebhooks import Webhook

ALGORITHMS = ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256", "A256GCM"]


def receive(secret, key, headers, body):
    """The event type and payload of a genuine request."""
    Webhook(secret).verify(body, headers, json_parse=False)
    return decrypt(key, headers, body)


def decrypt(key, headers, body):
    jwe = JWE(algs=ALGORITHMS)
    jwe.deserialize(body.decode(), key)
    protected = json.loads(jwe.objects["protected"])
    for name in ["webhook-id", "webhook-timestamp"]:
        if protected[name] != headers[name]:
            raise ValueError(f"the payload belongs to another request: {name}")
    if protected["cty"] != "application/json":
        raise ValueError("the payload is no JSON")
    return protected["webhook-event-type"], json.loads(jwe.payload)


def refuses(name, key, headers, body):
    """Another request's payload is refused, whoever signed that."""
    try:
        decrypt(key, {**headers, name: "1"}, body)
    except ValueError:
        return True
    return False


def main():
    opened = 0
    for line in sys.stdin:
        one = json.loads(line)
        key, body = JWK(**one["key"]), b64decode(one["body"])
        event_type, payload = receive(one["secret"], key, one["headers"], body)
        assert (event_type, payload) == ("invoice.paid", one["payload"]), (event_type, payload)
        for name in ["webhook-id", "webhook-timestamp"]:
            assert refuses(name, key, one["headers"], body), name
        opened += 1
    print(f"opened: {opened}")


main()
