// Signs webhooks as their senders do, with their own published packages: SENDER is stripe, octokit,
// standardwebhooks or svix.
//
// Each line of standard input is {"secret", "id", "eventType", "timestamp" (seconds), "body" (base64)};
// each line of standard output, the headers that its sender sends with that.
import { createInterface } from "node:readline";
import { sign as signAsGitHub } from "@octokit/webhooks-methods";
import * as standardwebhooks from "standardwebhooks";
import { Stripe } from "stripe";
import * as svix from "svix";

const senders = {
  async stripe({ secret, timestamp, body }) {
    const options = { payload: body.toString(), secret, timestamp };
    const header = Stripe.webhooks.generateTestHeaderString(options);
    return { "stripe-signature": header };
  },

  async octokit({ secret, id, eventType, body }) {
    return {
      "x-github-event": eventType,
      "x-github-delivery": id,
      "x-hub-signature-256": await signAsGitHub(secret, body.toString()),
    };
  },

  async standardwebhooks(event) {
    return standard("webhook", new standardwebhooks.Webhook(event.secret), event);
  },

  async svix(event) {
    return standard("svix", new svix.Webhook(event.secret), event);
  },
};

function standard(family, webhook, { id, timestamp, body }) {
  const signature = webhook.sign(id, new Date(timestamp * 1000), body.toString());
  return {
    [`${family}-id`]: id,
    [`${family}-timestamp`]: String(timestamp),
    [`${family}-signature`]: signature,
  };
}

const sign = senders[process.env.SENDER];
for await (const line of createInterface({ input: process.stdin })) {
  const event = JSON.parse(line);
  const headers = await sign({ ...event, body: Buffer.from(event.body, "base64") });
  console.log(JSON.stringify(headers));
}
