// The portal in a page of another site, as an application's own pages show it: it works there, by a
// cookie that is kept apart for that site; a site that isn't named can't show it, and nobody shows
// the operator's pages.
import assert from "node:assert/strict";

const PORTAL = "__Host-postrider-portal";

export default async function (reader, { link, host, stranger }, hands) {
  const { page } = reader;
  reader.others = [host.replace("http://", ""), stranger.replace("http://", "")];
  const frame = page.frameLocator("iframe");
  const within = (origin, path) =>
    page.goto(`${origin}/?${new URLSearchParams({ shows: reader.base + path })}`);

  await within(host, link);
  await hands.press(frame.getByRole("button", { name: "Open" }));
  await frame.getByRole("heading", { name: "Endpoints" }).waitFor();
  await reader.picture("inside");
  const [cookie, ...more] = await page.context().cookies();
  assert.deepEqual(more, []);
  const { name, httpOnly, secure, sameSite, partitionKey } = cookie;
  assert.deepEqual({ name, httpOnly, secure, sameSite }, {
    name: PORTAL,
    httpOnly: true,
    secure: true,
    sameSite: "None",
  });
  assert.ok(partitionKey?.startsWith("http://localhost"), `it is of ${partitionKey}`);

  // What is sent from there, and what is live there.
  await hands.press(frame.getByRole("row", { name: "Takes everything" }).getByRole("link"));
  await hands.press(frame.getByRole("link", { name: "Send an example" }));
  await hands.press(frame.getByRole("button", { name: "Send" }));
  await frame.getByRole("cell", { name: "delivered", exact: true }).waitFor();
  await reader.picture("sent");

  // It is that site's alone: the portal by itself knows nobody.
  await reader.goto("/portal", 401);

  for (const [origin, path] of [[stranger, "/portal"], [host, "/dashboard/sign-in"], [stranger, link]]) {
    await reader.finds("request", "ERR_BLOCKED_BY_RESPONSE", async () => {
      await reader.finds("console", "frame-ancestors", () => within(origin, path));
    });
    assert.equal(await frame.getByRole("heading").count(), 0);
  }
}
