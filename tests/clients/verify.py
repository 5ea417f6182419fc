"""Judges received webhooks with a published verifier: VERIFIER is standardwebhooks or svix.

Each line of standard input is {"secret", "headers", "body" (base64)}. Every one must be genuine,
and must be refused with its body changed by one byte, or the verdict would mean nothing.
"""

import base64
import importlib
import json
import os
import sys

package = importlib.import_module(os.environ["VERIFIER"])


def is_genuine(webhook, body: bytes, headers: dict) -> bool:
    try:
        webhook.verify(body, headers)
    except package.WebhookVerificationError:
        return False
    return True


genuine = 0
for line in sys.stdin:
    item = json.loads(line)
    webhook = package.Webhook(item["secret"])
    body = base64.b64decode(item["body"])
    assert is_genuine(webhook, body, item["headers"]), f"refused: {item['headers']}"
    assert not is_genuine(webhook, body + b" ", item["headers"]), "a changed body passed"
    genuine += 1
print(f"genuine: {genuine}")
