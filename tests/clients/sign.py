"""Signs webhooks as their senders do, with their own published packages: SENDER is slack_sdk,
standardwebhooks or svix.

Each line of standard input is {"secret", "id", "eventType", "timestamp" (seconds), "body" (base64)};
each line of standard output, the headers that its sender sends with that.
"""

import base64
import importlib
import json
import os
import sys
from datetime import datetime, timezone


def slack_sdk(event: dict, body: bytes) -> dict:
    from slack_sdk.signature import SignatureVerifier

    timestamp = str(event["timestamp"])
    signature = SignatureVerifier(event["secret"]).generate_signature(timestamp=timestamp, body=body)
    return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


def standard(event: dict, body: bytes) -> dict:
    package = os.environ["SENDER"]
    webhook = importlib.import_module(package).Webhook(event["secret"])
    family = "svix" if package == "svix" else "webhook"
    at = datetime.fromtimestamp(event["timestamp"], tz=timezone.utc)
    return {
        f"{family}-id": event["id"],
        f"{family}-timestamp": str(event["timestamp"]),
        f"{family}-signature": webhook.sign(event["id"], at, body.decode()),
    }


sign = slack_sdk if os.environ["SENDER"] == "slack_sdk" else standard
for line in sys.stdin:
    event = json.loads(line)
    print(json.dumps(sign(event, base64.b64decode(event["body"]))))
