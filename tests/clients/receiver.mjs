// A receiver as a customer would write one: it keeps the raw body, verifies it with the published
// package `standardwebhooks`, and only then believes it.
import { createServer } from "node:http";
import { setTimeout as after } from "node:timers/promises";
import { Webhook } from "standardwebhooks";

const PATIENCE_MS = 60_000;

export class Receiver {
  #server;
  #arrived = new Map(); // by path
  #wake = () => {};
  statuses = new Map(); // what a path answers, if not 200

  static async start() {
    const receiver = new Receiver();
    receiver.#server = createServer((request, response) => receiver.#take(request, response));
    await new Promise((done) => receiver.#server.listen(0, "127.0.0.1", done));
    return receiver;
  }

  url(path) {
    return `http://127.0.0.1:${this.#server.address().port}${path}`;
  }

  async #take(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { headers, method, url } = request;
    const queue = this.#arrived.get(url) ?? [];
    queue.push({ method, headers, body: Buffer.concat(chunks) });
    this.#arrived.set(url, queue);
    response.writeHead(this.statuses.get(url) ?? 200).end("taken");
    this.#wake();
  }

  // The next request at `path`, verified with `secret`; its payload beside it.
  async next(path, secret) {
    const deadline = after(PATIENCE_MS, "late", { ref: false });
    while (!this.#arrived.get(path)?.length) {
      const woken = new Promise((wake) => (this.#wake = wake));
      if ((await Promise.race([woken, deadline])) === "late") {
        throw new Error(`nothing arrived at ${path} within ${PATIENCE_MS} ms`);
      }
    }
    const request = this.#arrived.get(path).shift();
    const payload = new Webhook(secret).verify(request.body, request.headers);
    return { ...request, payload };
  }

  waiting(path) {
    return this.#arrived.get(path)?.length ?? 0;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

// Asks until `check` no longer throws: for what the server does after it heard the receiver's
// answer, of which it sends no word.
export async function eventually(check) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > until) throw error;
      await after(20);
    }
  }
}
