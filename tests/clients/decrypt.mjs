// Opens encrypted webhooks as a receiver would write it, with the published packages
// `standardwebhooks` and `jose`.
//
// Each line of standard input is {"secret", "headers", "body" (base64), "key", "payload"}. Every one
// must open to its payload, and must be refused as another message's, or the verdict would mean
// nothing.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { compactDecrypt, importJWK } from "jose";
import { Webhook } from "standardwebhooks";

const allowed = {
  keyManagementAlgorithms: ["ECDH-ES", "ECDH-ES+A256KW", "RSA-OAEP-256"],
  contentEncryptionAlgorithms: ["A256GCM"],
};

async function receive(secret, key, headers, body) {
  new Webhook(secret).verify(body, headers, { jsonParse: false });
  return decrypt(key, headers, body);
}

async function decrypt(key, headers, body) {
  const { plaintext, protectedHeader } = await compactDecrypt(body, key, allowed);
  for (const name of ["webhook-id", "webhook-timestamp"]) {
    if (protectedHeader[name] !== headers[name]) {
      throw new Error(`the payload belongs to another request: ${name}`);
    }
  }
  if (protectedHeader.cty !== "application/json") throw new Error("the payload is no JSON");
  const payload = JSON.parse(new TextDecoder().decode(plaintext));
  return { eventType: protectedHeader["webhook-event-type"], payload };
}

let opened = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line);
  const key = await importJWK(one.key, one.key.kty === "RSA" ? "RSA-OAEP-256" : "ECDH-ES+A256KW");
  const body = Buffer.from(one.body, "base64").toString();
  const received = await receive(one.secret, key, one.headers, body);
  assert.deepEqual(received, { eventType: "invoice.paid", payload: one.payload });
  for (const name of ["webhook-id", "webhook-timestamp"]) {
    const other = { ...one.headers, [name]: "1" };
    await assert.rejects(decrypt(key, other, body), /another request/);
  }
  opened += 1;
}
console.log(`opened: ${opened}`);
