// The whole life of an application through the published npm client `svix`, unmodified: create,
// send, look up, rotate, resend, recover, delete. What arrives is verified with the published
// package `standardwebhooks`.
//
// SERVER_URL and TOKEN say where. The server tries twice, a second apart.
import assert from "node:assert/strict";
import { ApiException, Svix, messageInRaw } from "svix";
import { Webhook } from "standardwebhooks";
import { forgotten, recording } from "./methods.mjs";
import { Receiver, eventually } from "./receiver.mjs";

const called = new Set();
const connect = (serverUrl, token = process.env.TOKEN) => new Svix(token, { serverUrl, numRetries: 1 });
const client = recording(connect(process.env.SERVER_URL), called);
const receiver = await Receiver.start();
const app = "node-shop"; // the application's uid
const began = new Date(Date.now() - 60_000);

// Chapters build on each other: the first that fails ends the story.
async function chapter(name, tell) {
  try {
    await tell();
  } catch (error) {
    console.error("not ok", name);
    throw error;
  }
  console.log("ok", name);
}

async function refused(code, call) {
  const error = await call.then(
    () => assert.fail(`should have been refused with ${code}`),
    (error) => error,
  );
  assert.ok(error instanceof ApiException, `${error}`);
  assert.equal(error.code, code, JSON.stringify(error.body));
  return error.body;
}

const sorted = (list) => [...list].sort();
const ids = (list) => list.data.map((item) => item.id);

await chapter("applications", async () => {
  const made = await client.application.create({
    name: "Shop",
    uid: app,
    metadata: { plan: "gold" },
  });
  assert.match(made.id, /^app_[0-9A-Za-z]{27}$/);
  assert.deepEqual([made.name, made.uid, made.metadata.plan], ["Shop", app, "gold"]);
  assert.ok(made.createdAt instanceof Date && !Number.isNaN(made.createdAt.valueOf()));

  const again = await client.application.getOrCreate({ name: "Other", uid: app });
  assert.deepEqual([again.id, again.name], [made.id, "Shop"]);
  assert.equal((await refused(409, client.application.create({ name: "x", uid: app }))).code, "conflict");
  assert.ok(Array.isArray((await refused(422, client.application.create({ name: "" }))).detail));

  assert.equal((await client.application.get(app)).id, made.id);
  assert.equal((await client.application.patch(made.id, { name: "The Shop" })).name, "The Shop");
  const whole = await client.application.upsert(app, { name: "Shop", uid: app, throttleRate: 900 });
  assert.deepEqual([whole.id, whole.throttleRate, whole.metadata], [made.id, 900, {}]);

  const other = await client.application.create({ name: "Other" });
  const first = await client.application.list({ limit: 1, order: "descending" });
  assert.deepEqual([ids(first), first.done], [[other.id], false]);
  const second = await client.application.list({ iterator: first.iterator, order: "descending" });
  assert.ok(ids(second).includes(made.id) && !ids(second).includes(other.id));
  await client.application.delete(other.id);
  await refused(404, client.application.get(other.id));
});

await chapter("event types", async () => {
  const made = await client.eventType.create({
    name: "invoice.paid",
    description: "An invoice was paid",
    schemas: { 1: { type: "object", properties: { id: { type: "string" } } } },
    groupName: "invoice",
  });
  assert.deepEqual([made.name, made.groupName], ["invoice.paid", "invoice"]);
  await client.eventType.create({ name: "invoice.lost", description: "An invoice was lost" });
  const conflict = await refused(409, client.eventType.create({ name: "invoice.lost", description: "x" }));
  assert.equal(conflict.code, "event_type_exists");

  const whole = await client.eventType.get("invoice.paid");
  assert.equal(whole.schemas[1].type, "object");
  const patched = await client.eventType.patch("invoice.lost", { description: "Gone" });
  assert.equal(patched.description, "Gone");
  const upserted = await client.eventType.upsert("invoice.sent", { description: "Sent" });
  assert.equal(upserted.name, "invoice.sent");

  const names = async (options) => (await client.eventType.list(options)).data.map((type) => type.name);
  assert.deepEqual(await names(), ["invoice.lost", "invoice.paid", "invoice.sent"]);
  await client.eventType.delete("invoice.sent");
  assert.deepEqual(await names(), ["invoice.lost", "invoice.paid"]);
  assert.deepEqual(await names({ includeArchived: true }), ["invoice.lost", "invoice.paid", "invoice.sent"]);

  const webhooks = { "invoice.sent": { post: { description: "It was sent", requestBody: {
    content: { "application/json": { schema: { $ref: "#/components/schemas/Invoice" }, example: { id: "i" } } },
  } } } };
  const components = { schemas: { Invoice: { type: "object" } } };
  const spec = { openapi: "3.1.0", info: { title: "Shop", version: "1" }, webhooks, components };
  const foreseen = (await client.eventType.importOpenapi({ spec, dryRun: true })).data;
  const schemas = { 1: { type: "object", examples: [{ id: "i" }] } };
  assert.deepEqual(foreseen.toModify.map(({ name, schemas }) => ({ name, schemas })), [{ name: "invoice.sent", schemas }]);
  assert.deepEqual(await names(), ["invoice.lost", "invoice.paid"]);
  const imported = (await client.eventType.importOpenapi({ specRaw: JSON.stringify(spec) })).data;
  assert.deepEqual(imported.modified, ["invoice.sent"]);
  assert.equal((await client.eventType.get("invoice.sent")).description, "It was sent");
  await refused(400, client.eventType.importOpenapi({}));
  await client.eventType.delete("invoice.sent");
});

await chapter("endpoints", async () => {
  const made = await client.endpoint.create(app, {
    url: receiver.url("/main"),
    uid: "main",
    description: "all that is paid",
    eventTypes: ["invoice.paid"],
    metadata: { team: "billing" },
    headers: { "X-Shop": "one", authorization: "Bearer of-the-shop" },
  });
  assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/);
  assert.deepEqual(made.eventTypes, ["invoice.paid"]);
  await client.endpoint.create(app, { url: receiver.url("/vip"), uid: "vip", channels: ["vip"] });
  assert.equal((await refused(409, client.endpoint.create(app, { url: receiver.url("/"), uid: "vip" }))).code, "conflict");
  const unknown = client.endpoint.create(app, { url: receiver.url("/"), eventTypes: ["no.such"] });
  assert.deepEqual((await refused(422, unknown)).detail[0].loc, ["body", "eventTypes"]);
  await refused(422, client.endpoint.create(app, { url: "http://10.1.2.3/" }));

  assert.equal((await client.endpoint.get(app, "main")).id, made.id);
  const listed = (await client.endpoint.list(app)).data.map((endpoint) => endpoint.uid);
  assert.deepEqual(listed, ["vip", "main"]);

  const { key } = await client.endpoint.getSecret(app, "main");
  assert.match(key, /^whsec_/);
  const patched = await client.endpoint.patch(app, "main", { description: "paid", throttleRate: null });
  assert.deepEqual([patched.description, patched.url], ["paid", receiver.url("/main")]);
  await client.endpoint.upsert(app, "main", {
    url: receiver.url("/main"),
    uid: "main",
    eventTypes: ["invoice.paid"],
  });
  assert.equal((await client.endpoint.getSecret(app, "main")).key, key, "an upsert keeps the secret");

  const headers = async () => client.endpoint.getHeaders(app, "main");
  assert.deepEqual(await headers(), { headers: { "X-Shop": "one" }, sensitive: ["authorization"] });
  await client.endpoint.patchHeaders(app, "main", {
    headers: { "x-branch": "two" },
    deleteHeaders: ["authorization"],
  });
  assert.deepEqual(await headers(), { headers: { "X-Shop": "one", "x-branch": "two" }, sensitive: [] });
  await client.endpoint.setHeaders(app, "main", { headers: { "X-Shop": "three" } });
  assert.deepEqual((await headers()).headers, { "X-Shop": "three" });
  await refused(422, client.endpoint.setHeaders(app, "main", { headers: { "webhook-id": "x" } }));
});

await chapter("messages arrive where they match, signed", async () => {
  const { key } = await client.endpoint.getSecret(app, "main");
  const vip = (await client.endpoint.getSecret(app, "vip")).key;
  const sent = await client.message.create(app, {
    eventType: "invoice.paid",
    eventId: "paid-1",
    payload: { id: "inv_1", amount: 12.5, text: "größer – 10 €" },
    tags: ["june"],
  });
  assert.match(sent.id, /^msg_[0-9A-Za-z]{27}$/);
  assert.deepEqual(sent.payload, {}, "without content unless asked");

  const got = await receiver.next("/main", key);
  assert.deepEqual(got.payload, { id: "inv_1", amount: 12.5, text: "größer – 10 €" });
  assert.equal(got.headers["webhook-id"], sent.id);
  assert.equal(got.headers["content-type"], "application/json");
  assert.equal(got.headers["x-shop"], "three");
  assert.equal(got.headers["svix-id"], undefined);

  const conflict = client.message.create(app, { eventType: "invoice.paid", eventId: "paid-1", payload: {} });
  assert.equal((await refused(409, conflict)).code, "conflict");
  await refused(404, client.message.create("no-such-app", { eventType: "invoice.paid", payload: {} }));

  await client.message.create(app, { eventType: "invoice.lost", channels: ["vip", "x"], payload: { n: 2 } });
  assert.deepEqual((await receiver.next("/vip", vip)).payload, { n: 2 });

  const raw = '{ "spelled":  1.50e2 }';
  await client.message.create(app, messageInRaw("invoice.paid", raw));
  assert.equal((await receiver.next("/main", key)).body.toString(), raw);
  assert.deepEqual([receiver.waiting("/main"), receiver.waiting("/vip")], [0, 0]);
});

await chapter("an idempotency key makes one message of two calls", async () => {
  const { key } = await client.endpoint.getSecret(app, "main");
  const message = { eventType: "invoice.paid", payload: { id: "inv_once" } };
  const options = { idempotencyKey: "node-once" };
  const first = await client.message.create(app, message, options);
  const second = await client.message.create(app, message, options);
  assert.equal(second.id, first.id);
  assert.equal((await receiver.next("/main", key)).headers["webhook-id"], first.id);
  assert.equal(receiver.waiting("/main"), 0);
  const other = { ...message, payload: { id: "inv_other" } };
  await refused(409, client.message.create(app, other, options));
});

await chapter("a message is delivered when it is due", async () => {
  const { key } = await client.endpoint.getSecret(app, "main");
  const deliverAt = new Date(Date.now() + 1_500);
  const sent = await client.message.create(app, { eventType: "invoice.paid", payload: { late: 1 }, deliverAt });
  assert.equal(sent.deliverAt.valueOf(), deliverAt.valueOf());
  const got = await receiver.next("/main", key);
  assert.ok(Date.now() >= deliverAt.valueOf(), "it came too early");
  assert.equal(got.headers["webhook-id"], sent.id);
  const tooLate = new Date(Date.now() + 31 * 86_400_000);
  await refused(422, client.message.create(app, { eventType: "invoice.paid", payload: {}, deliverAt: tooLate }));
});

await chapter("messages are listed and found", async () => {
  const all = await client.message.list(app);
  assert.deepEqual(sorted(ids(all)).reverse(), ids(all), "newest first");
  assert.equal(all.data.length, 5);
  assert.ok(all.done);

  const pages = [];
  for (let iterator = null, done = false; !done; ) {
    const page = await client.message.list(app, { limit: 2, iterator });
    pages.push(...ids(page));
    ({ iterator, done } = page);
  }
  assert.deepEqual(pages, ids(all));

  const one = await client.message.get(app, "paid-1", { withContent: true });
  assert.deepEqual([one.payload.id, one.tags], ["inv_1", ["june"]]);
  assert.deepEqual((await client.message.get(app, one.id)).payload, {});
  const found = async (options) => ids(await client.message.list(app, options));
  assert.deepEqual(await found({ tag: "june" }), [one.id]);
  assert.equal((await found({ channel: "vip" })).length, 1);
  assert.equal((await found({ eventTypes: ["invoice.lost", "invoice.sent"] })).length, 1);
  assert.equal((await found({ after: began })).length, 5);
  assert.deepEqual(await found({ before: began }), []);
  await refused(404, client.message.get(app, "msg_000000000000000000000000000"));
});

await chapter("attempts can be looked up from both sides", async () => {
  const main = await client.endpoint.get(app, "main");
  const [attempt] = await eventually(async () => {
    const { data } = await client.messageAttempt.listByMsg(app, "paid-1", { withContent: true });
    assert.equal(data.length, 1);
    return data;
  });
  assert.match(attempt.id, /^atmpt_[0-9A-Za-z]{27}$/);
  assert.deepEqual([attempt.status, attempt.statusText, attempt.triggerType], [0, "success", 0]);
  assert.deepEqual([attempt.responseStatusCode, attempt.response], [200, "taken"]);
  assert.deepEqual([attempt.url, attempt.endpointId], [receiver.url("/main"), main.id]);
  assert.deepEqual(await client.messageAttempt.get(app, attempt.msgId, attempt.id), attempt);

  const by = (options) => client.messageAttempt.listByEndpoint(app, "main", options);
  await eventually(async () => assert.equal((await by()).data.length, 4));
  const withMsg = (await by({ withMsg: true, limit: 1 })).data[0];
  assert.equal(withMsg.msg.id, withMsg.msgId);
  assert.equal((await by({ status: 0 })).data.length, 4);
  assert.equal((await by({ status: 2 })).data.length, 0);
  assert.equal((await by({ statusCodeClass: 500 })).data.length, 0);

  const messages = await client.messageAttempt.listAttemptedMessages(app, "main");
  assert.equal(messages.data.length, 4);
  assert.ok(messages.data.every((message) => message.statusText === "success" && !message.nextAttempt));
  const places = await client.messageAttempt.listAttemptedDestinations(app, "paid-1");
  assert.deepEqual(ids(places), [main.id]);
});

await chapter("a rotated secret signs beside the new one until its grace ends", async () => {
  const old = (await client.endpoint.getSecret(app, "main")).key;
  await client.endpoint.rotateSecret(app, "main", {});
  const fresh = (await client.endpoint.getSecret(app, "main")).key;
  assert.notEqual(fresh, old);
  await client.message.create(app, { eventType: "invoice.paid", payload: { rotated: 1 } });
  const got = await receiver.next("/main", fresh);
  assert.equal(got.headers["webhook-signature"].split(" ").length, 2);
  new Webhook(old).verify(got.body, got.headers);

  const chosen = "whsec_" + Buffer.alloc(24, 7).toString("base64");
  await client.endpoint.rotateSecret(app, "main", { key: chosen, gracePeriodSeconds: 0 });
  assert.equal((await client.endpoint.getSecret(app, "main")).key, chosen);
  await client.message.create(app, { eventType: "invoice.paid", payload: { rotated: 2 } });
  const last = await receiver.next("/main", chosen);
  assert.throws(() => new Webhook(fresh).verify(last.body, last.headers));
  await refused(422, client.endpoint.rotateSecret(app, "main", { key: "whsec_short" }));
});

await chapter("what failed is resent and recovered, once each", async () => {
  receiver.statuses.set("/flaky", 503);
  const { id } = await client.endpoint.create(app, {
    url: receiver.url("/flaky"),
    uid: "flaky",
    eventTypes: ["invoice.lost"],
  });
  const { key } = await client.endpoint.getSecret(app, id);
  const sent = [];
  for (const n of [1, 2, 3]) {
    sent.push((await client.message.create(app, { eventType: "invoice.lost", payload: { n } })).id);
  }
  for (let tries = 0; tries < 2 * sent.length; tries += 1) await receiver.next("/flaky", key);
  const stats = () => client.endpoint.getStats(app, "flaky");
  await eventually(async () => assert.equal((await stats()).fail, 6));
  const failed = await client.messageAttempt.listAttemptedMessages(app, "flaky", { status: 2 });
  assert.deepEqual(sorted(ids(failed)), sorted(sent));
  assert.ok(failed.data.every((message) => message.statusText === "fail" && !message.nextAttempt));

  receiver.statuses.delete("/flaky");
  await client.messageAttempt.resend(app, sent[0], "flaky");
  assert.equal((await receiver.next("/flaky", key)).headers["webhook-id"], sent[0]);
  await eventually(async () => assert.equal((await stats()).success, 1));
  const { data } = await client.messageAttempt.listByMsg(app, sent[0], { endpointId: "flaky" });
  assert.deepEqual(data.map((attempt) => attempt.triggerType), [1, 0, 0]);
  assert.deepEqual(data.map((attempt) => attempt.responseStatusCode), [200, 503, 503]);

  const task = await client.endpoint.recover(app, "flaky", { since: began });
  assert.match(task.id, /^qtask_/);
  assert.deepEqual([task.status, task.task], ["running", "endpoint.recover"]);
  const again = [];
  for (const _ of [1, 2]) again.push((await receiver.next("/flaky", key)).headers["webhook-id"]);
  assert.deepEqual(sorted(again), sorted(sent.slice(1)));
  await eventually(async () => {
    const { success, fail, pending, sending } = await stats();
    assert.deepEqual({ success, fail, pending, sending }, { success: 3, fail: 6, pending: 0, sending: 0 });
  });
  await refused(404, client.messageAttempt.resend(app, "msg_000000000000000000000000000", "flaky"));
  await client.endpoint.patch(app, "flaky", { disabled: true });
  const error = await client.messageAttempt.resend(app, sent[0], "flaky").catch((error) => error);
  assert.ok(error instanceof ApiException && error.code >= 400 && error.code < 500, "not silently dropped");
});

await chapter("what an endpoint never got is sent, and what it got is sent again", async () => {
  const other = (await client.application.create({ name: "Late" })).id;
  await client.eventType.create({ name: "invoice.late", description: "Before anybody asked" });
  const sent = [];
  for (const n of [1, 2, 3]) {
    sent.push((await client.message.create(other, { eventType: "invoice.late", payload: { n } })).id);
  }
  await client.endpoint.create(other, {
    url: receiver.url("/late"),
    uid: "late",
    eventTypes: ["invoice.late"],
  });
  const { key } = await client.endpoint.getSecret(other, "late");
  const three = async () => {
    const came = [];
    for (const _ of [1, 2, 3]) came.push((await receiver.next("/late", key)).headers["webhook-id"]);
    return sorted(came);
  };
  const finished = (id) =>
    eventually(async () => {
      const { status, data } = await client.backgroundTask.get(id);
      assert.deepEqual([status, data], ["finished", { messagesSent: 3 }]);
    });
  const missing = await client.endpoint.replayMissing(other, "late", { since: began });
  assert.deepEqual([missing.status, missing.task], ["running", "endpoint.replay"]);
  assert.deepEqual(await three(), sorted(sent));
  await finished(missing.id);
  await eventually(async () => assert.equal((await client.endpoint.getStats(other, "late")).success, 3));

  const bulk = await client.endpoint.bulkReplay(other, "late", {
    since: began,
    eventTypes: ["invoice.late"],
    status: 0,
    statusCodeClass: 200,
  });
  assert.deepEqual(await three(), sorted(sent));
  await finished(bulk.id);
  const filter = { task: "endpoint.bulk-replay", status: "finished" };
  assert.equal(ids(await client.backgroundTask.list(filter))[0], bulk.id);
  await refused(422, client.endpoint.bulkReplay(other, "late", { since: began, status: 1 }));
  await client.application.delete(other);
});

await chapter("what applications use is counted in the background", async () => {
  const result = (begun) =>
    eventually(async () => {
      const { status, data } = await client.backgroundTask.get(begun.id);
      assert.equal(status, "finished");
      return data;
    });
  const attempts = async () => {
    const endpoints = ids(await client.endpoint.list(app));
    const stats = await Promise.all(endpoints.map((id) => client.endpoint.getStats(app, id)));
    return stats.reduce((sum, { success, fail }) => sum + success + fail, 0);
  };
  const { id } = await client.application.get(app);
  await eventually(async () => {
    const messageDestinations = await attempts();
    const begun = await client.statistics.aggregateAppStats({
      since: began,
      until: new Date(),
      appIds: [app, "no-such"],
    });
    assert.deepEqual([begun.task, begun.unresolvedAppIds], ["application.stats", ["no-such"]]);
    assert.deepEqual(await result(begun), { appStats: [{ appId: id, appUid: app, messageDestinations }] });
  });
  const nobody = { since: began, until: new Date(), appIds: ["no-such"] };
  await refused(422, client.statistics.aggregateAppStats(nobody));

  const begun = await client.statistics.aggregateEventTypes();
  assert.equal(begun.task, "event-type.aggregate");
  const own = (await result(begun)).event_types.find(({ appId }) => appId === id);
  assert.deepEqual(own.explicitlySubscribedEventTypes, ["invoice.lost", "invoice.paid"]);
  assert.equal(own.hasCatchAllEndpoint, true, "vip takes every type");
});

await chapter("an example is sent to one endpoint", async () => {
  const { key } = await client.endpoint.getSecret(app, "main");
  await client.endpoint.sendExample(app, "main", { eventType: "svix.ping" });
  assert.deepEqual((await receiver.next("/main", key)).payload, { success: true });
  await refused(400, client.endpoint.sendExample(app, "main", { eventType: "invoice.lost" }));
  await refused(404, client.endpoint.sendExample(app, "main", { eventType: "no.such" }));
  assert.equal((await client.message.precheck(app, { eventType: "invoice.paid" })).active, true);
});

await chapter("what is stored can be removed for good", async () => {
  const { key } = await client.endpoint.getSecret(app, "main");
  for (const n of [1, 2, 3]) {
    await client.message.create(app, { eventType: "invoice.paid", eventId: `gone-${n}`, payload: { n } });
    await receiver.next("/main", key);
  }
  const content = async (id) => (await client.message.get(app, id, { withContent: true })).payload;
  // An attempt that is not recorded yet would be called off with the content.
  const [attempt] = await eventually(async () => {
    const { data } = await client.messageAttempt.listByMsg(app, "gone-1");
    assert.equal(data.length, 1);
    return data;
  });
  await client.message.expungeContent(app, "gone-1");
  assert.deepEqual(await content("gone-1"), { expired: true });
  const { results } = await client.message.bulkExpungeContent(app, { ids: ["gone-2", "no-such"] });
  assert.deepEqual(results, { "gone-2": "expunged", "no-such": "not-found" });
  assert.deepEqual([await content("gone-2"), await content("gone-3")], [{ expired: true }, { n: 3 }]);

  await client.messageAttempt.expungeContent(app, "gone-1", attempt.id);
  assert.equal((await client.messageAttempt.get(app, "gone-1", attempt.id)).response, "EXPUNGED");

  const other = (await client.application.create({ name: "Shredded" })).id;
  const { id } = await client.message.create(other, { eventType: "invoice.paid", payload: { n: 4 } });
  const purge = await client.message.expungeAllContents(other);
  assert.equal(purge.task, "application.purge_content");
  await eventually(async () => {
    assert.deepEqual((await client.backgroundTask.get(purge.id)).data, { messagesPurged: 1 });
  });
  const { payload } = await client.message.get(other, id, { withContent: true });
  assert.deepEqual([payload, await content("gone-3")], [{ expired: true }, { n: 3 }]);
  await client.application.delete(other);
});

await chapter("an application's own token reaches what is its own, until it is ended", async () => {
  const own = async () => {
    const { token, url } = await client.authentication.appPortalAccess(app, { featureFlags: [] });
    assert.ok(!url.includes(token));
    return recording(connect(process.env.SERVER_URL, token), called);
  };
  const [first, second] = [await own(), await own()];
  assert.equal((await first.application.get(app)).uid, app);
  await refused(403, first.application.list());
  await first.authentication.logout();
  await eventually(() => refused(401, first.application.get(app)));
  assert.equal((await second.application.get(app)).uid, app);
  await client.authentication.expireAll(app, { expiry: 0 });
  await eventually(() => refused(401, second.application.get(app)));
});

await chapter("what is deleted is gone, and its name is free", async () => {
  await client.endpoint.delete(app, "flaky");
  await refused(404, client.endpoint.get(app, "flaky"));
  await refused(404, client.messageAttempt.listByEndpoint(app, "flaky"));
  await client.endpoint.create(app, { url: receiver.url("/flaky"), uid: "flaky" });
  await client.application.delete(app);
  await refused(404, client.application.get(app));
  await refused(404, client.endpoint.list(app));
  await client.application.create({ name: "Shop", uid: app });
  await client.application.delete(app);
});

await chapter("an installation is carried elsewhere, and holds payloads against their schemas", async () => {
  const schemas = { 1: { type: "object", required: ["id"] } };
  const strict = { name: "carried.strict", description: "", schemas };
  const settings = { enforceEventTypeSchemas: true };
  await client.environment.import({ eventTypes: [strict], settings });
  const exported = await client.environment.export();
  assert.equal(exported.settings.enforceEventTypeSchemas, true);
  const found = exported.eventTypes.find((one) => one.name === strict.name);
  assert.deepEqual(found.schemas, schemas);
  assert.deepEqual(exported.connectors, []);
  await client.application.create({ name: "Carried", uid: "carried" });
  const send = (payload) => client.message.create("carried", { eventType: strict.name, payload });
  await send({ id: 1 });
  const { detail } = await refused(422, send({}));
  assert.deepEqual(detail[0].loc, ["body", "payload", "id"]);
  await client.environment.import({ settings: { enforceEventTypeSchemas: false } });
  await send({});
  await client.application.delete("carried");
});

/// Sends what a source's sender would, signed as Svix signs; gives the status and the answer.
async function arrives(url, secret, body, signed = body) {
  const [id, now] = [`evt_${crypto.randomUUID()}`, new Date()];
  const headers = {
    "content-type": "application/json",
    "svix-id": id,
    "svix-timestamp": `${Math.floor(now.valueOf() / 1000)}`,
    "svix-signature": new Webhook(secret).sign(id, now, signed),
  };
  const answer = await fetch(url, { method: "POST", headers, body });
  return [answer.status, await answer.json()];
}

const theirs = "whsec_" + Buffer.alloc(24, 9).toString("base64"); // a sender's secret

await chapter("sources", async () => {
  const { source } = client.ingest;
  const uid = "node-payments";
  const made = await source.create({
    name: "Cards",
    uid,
    type: "stripe",
    config: { secret: theirs },
    metadata: { team: "billing" },
  });
  assert.match(made.id, /^src_[0-9A-Za-z]{27}$/);
  assert.deepEqual([made.name, made.uid, made.type, made.config], ["Cards", uid, "stripe", {}]);
  assert.deepEqual(made.metadata, { team: "billing" });
  assert.ok(made.createdAt instanceof Date && !Number.isNaN(made.createdAt.valueOf()));
  assert.ok(made.ingestUrl.startsWith(process.env.SERVER_URL));
  assert.deepEqual(await source.get(uid), made);

  const body = { name: "Payments", uid, type: "svix", config: { secret: theirs } };
  assert.equal((await refused(409, source.create(body))).code, "conflict");
  const whole = await source.upsert(uid, body);
  assert.deepEqual([whole.id, whole.ingestUrl], [made.id, made.ingestUrl]);
  assert.deepEqual([whole.name, whole.type, whole.metadata], ["Payments", "svix", {}]);

  const cron = { schedule: "0 3 * * *", payload: "{}" };
  const nightly = await source.create({ name: "Nightly", type: "cron", config: cron });
  const { schedule, payload } = nightly.config;
  assert.deepEqual([{ schedule, payload }, nightly.ingestUrl ?? null], [cron, null]);
  assert.equal((await refused(400, source.rotateToken(nightly.id))).code, "no_ingest_url");
  const first = await source.list({ limit: 1, order: "descending" });
  assert.deepEqual([ids(first), first.done], [[nightly.id], false]);
  const second = await source.list({ iterator: first.iterator, order: "descending" });
  assert.ok(ids(second).includes(made.id) && !ids(second).includes(nightly.id));
  await source.delete(nightly.id);
  await refused(404, source.get(nightly.id));
  // Nothing would be verified.
  await refused(422, source.create({ name: "Anybody", type: "generic-webhook", config: {} }));
});

await chapter("what a source takes is delivered, and its endpoints are its own", async () => {
  const { authentication, endpoint, source } = client.ingest;
  const { id: at, ingestUrl } = await source.get("node-payments");
  const made = await endpoint.create(at, {
    url: receiver.url("/desk"),
    uid: "desk",
    metadata: { floor: "2" },
    headers: { "X-Desk": "one" },
  });
  assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/);
  assert.deepEqual([made.uid, made.metadata, made.disabled], ["desk", { floor: "2" }, false]);
  assert.deepEqual(await endpoint.get(at, "desk"), made);
  assert.deepEqual((await endpoint.getHeaders(at, "desk")).headers, { "X-Desk": "one" });
  const anew = { url: made.url, uid: "desk", description: "All that is paid", throttleRate: 900 };
  const whole = await endpoint.upsert(at, "desk", anew);
  assert.deepEqual([whole.id, whole.description, whole.throttleRate], [made.id, "All that is paid", 900]);
  await endpoint.setHeaders(at, "desk", { headers: { "X-Desk": "two", authorization: "Bearer x" } });
  const { headers, sensitive } = await endpoint.getHeaders(at, "desk");
  assert.deepEqual([headers, sensitive], [{ "X-Desk": "two" }, ["authorization"]]);
  assert.deepEqual(ids(await endpoint.list(at)), [made.id]);

  const old = (await endpoint.getSecret(at, "desk")).key;
  const chosen = "whsec_" + Buffer.alloc(24, 8).toString("base64");
  assert.notEqual(old, chosen);
  await endpoint.rotateSecret(at, "desk", { key: chosen, gracePeriodSeconds: 0 });
  assert.equal((await endpoint.getSecret(at, "desk")).key, chosen);

  const paid = JSON.stringify({ type: "payment.made", amount: 12 });
  const [status, { id }] = await arrives(ingestUrl, theirs, paid);
  assert.equal(status, 200);
  const got = await receiver.next("/desk", chosen);
  assert.deepEqual([got.headers["webhook-id"], `${got.body}`], [id, paid]);
  assert.equal(got.headers["x-desk"], "two");
  assert.equal((await arrives(ingestUrl, theirs, paid.replace("12", "13"), paid))[0], 401);

  const rotated = (await source.rotateToken(at)).ingestUrl;
  assert.notEqual(rotated, ingestUrl);
  assert.equal((await source.get(at)).ingestUrl, rotated);
  assert.equal((await arrives(ingestUrl, theirs, paid))[0], 401);
  assert.equal((await arrives(rotated, theirs, paid))[0], 200);
  await receiver.next("/desk", chosen);

  const { token, url } = await authentication.consumerPortalAccess(at, { expiry: 3600 });
  assert.ok(!url.includes(token));
  const own = connect(process.env.SERVER_URL, token);
  assert.equal((await own.endpoint.get(at, "desk")).id, made.id);
  await refused(403, own.ingest.source.list());

  await endpoint.delete(at, "desk");
  await refused(404, endpoint.get(at, "desk"));
  await source.delete(at);
  await refused(404, source.get(at));
  await refused(404, client.application.get(at));
});

await chapter("whoever runs the installation is told what happens in it", async () => {
  const { endpoint } = client.operationalWebhook;
  const body = {
    url: receiver.url("/ops"),
    uid: "ops",
    eventTypes: ["endpoint.created"],
    metadata: { floor: "1" },
    headers: { "X-Desk": "one" },
  };
  const made = await endpoint.create(body);
  assert.match(made.id, /^ep_[0-9A-Za-z]{27}$/);
  assert.deepEqual([made.uid, made.metadata, made.disabled], ["ops", { floor: "1" }, false]);
  assert.deepEqual(await endpoint.get("ops"), made);
  assert.deepEqual((await endpoint.getHeaders("ops")).headers, { "X-Desk": "one" });
  assert.deepEqual(ids(await endpoint.list()), [made.id]);
  await refused(422, endpoint.create({ url: made.url, eventTypes: ["invoice.paid"] }));
  const anew = { url: made.url, uid: "ops", description: "All", eventTypes: ["endpoint.created"] };
  const whole = await endpoint.upsert("ops", anew);
  assert.deepEqual([whole.id, whole.description], [made.id, "All"]);
  await endpoint.setHeaders("ops", { headers: { "X-Desk": "two", authorization: "Bearer x" } });
  const { headers, sensitive } = await endpoint.getHeaders("ops");
  assert.deepEqual([headers, sensitive], [{ "X-Desk": "two" }, ["authorization"]]);
  const chosen = "whsec_" + Buffer.alloc(24, 7).toString("base64");
  assert.notEqual((await endpoint.getSecret("ops")).key, chosen);
  await endpoint.rotateSecret("ops", { key: chosen, gracePeriodSeconds: 0 });
  assert.equal((await endpoint.getSecret("ops")).key, chosen);

  const watched = await client.application.create({ name: "Watched", uid: "node-watched" });
  const hook = await client.endpoint.create(watched.id, { url: receiver.url("/main"), uid: "hook" });
  const got = await receiver.next("/ops", chosen);
  assert.equal(got.headers["x-desk"], "two");
  const names = { appUid: "node-watched", endpointUid: "hook" };
  const data = { appId: watched.id, endpointId: hook.id, ...names };
  assert.deepEqual(JSON.parse(got.body), { type: "endpoint.created", data });
  await client.application.delete(watched.id);
  await endpoint.delete("ops");
  await refused(404, endpoint.get("ops"));
});

await chapter("what is not built says so", async () => {
  await client.health.get();
  const error = await client.endpoint.transformation.get(app, "main").catch((error) => error);
  assert.equal(error.code, 501);
  const body = typeof error.body === "string" ? JSON.parse(error.body) : error.body;
  assert.ok(body.code && body.detail);
});

await chapter("no method is left out whose operation is built", async () => {
  const { missing, silent, methods, built } = await forgotten(connect, called, process.env.SERVER_URL);
  assert.deepEqual(missing, []);
  // These can't be called with whatever: their operations are not built.
  assert.deepEqual(silent, ["streaming.events.create"]);
  console.log(`${built} of ${methods} methods have an operation that is built`);
});

receiver.stop();
