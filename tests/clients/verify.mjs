// Judges received webhooks with a published verifier: VERIFIER is standardwebhooks or svix.
//
// Each line of standard input is {"secret", "headers", "body" (base64)}. Every one must be genuine,
// and must be refused with its body changed by one byte, or the verdict would mean nothing.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import * as standardwebhooks from "standardwebhooks";
import * as svix from "svix";

const { Webhook, WebhookVerificationError } = { standardwebhooks, svix }[process.env.VERIFIER];

let genuine = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line);
  const webhook = new Webhook(secret);
  const bytes = Buffer.from(body, "base64");
  webhook.verify(bytes, headers);
  assert.throws(
    () => webhook.verify(Buffer.concat([bytes, Buffer.from(" ")]), headers),
    WebhookVerificationError,
    "a changed body passed",
  );
  genuine += 1;
}
console.log(`genuine: ${genuine}`);
