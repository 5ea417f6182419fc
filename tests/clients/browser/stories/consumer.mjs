// What an application's own people do in the portal: come in by the link of somebody's mail, which
// was looked at before and is good once; see their endpoints, show a secret, try an endpoint, replay,
// and leave.
import assert from "node:assert/strict";
import { becomes, cookies, marked } from "./steps.mjs";

export default async function (reader, { link }, hands) {
  const { page } = reader;
  const to = (name) => page.getByRole("link", { name, exact: true });
  const button = (name) => page.getByRole("button", { name, exact: true });

  // Whatever looks at links takes nothing.
  for (let looked = 0; looked < 2; looked++) {
    await reader.goto(link);
    assert.deepEqual(await cookies(reader), []);
  }
  await reader.check("link");
  await hands.press(button("Open"));
  await page.getByRole("heading", { name: "Endpoints" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/portal");
  assert.deepEqual(await cookies(reader), ["__Host-postrider-portal"]);
  await reader.check("endpoints");
  const whole = await page.locator("body").textContent();
  assert.ok(!whole.includes("hostile"), "another application's");

  await hands.press(page.getByRole("row", { name: "Takes everything" }).getByRole("link"));
  await page.getByRole("heading", { name: "Signing secret" }).waitFor();
  await reader.check("endpoint");
  assert.ok(!(await page.content()).includes("whsec_"));
  const endpoint = new URL(page.url()).pathname;
  await hands.press(button("Show secret"));
  await page.getByText(/^whsec_/).waitFor();
  await reader.check("secret");
  await hands.press(to("Back to the endpoint"));

  await hands.press(to("Send an example"));
  await hands.choose(page.getByLabel("Event type"), "order.paid");
  await hands.press(button("Send"));
  await page.getByRole("heading", { name: /^Message / }).waitFor();
  const stay = await marked(reader);
  await becomes(reader, page.getByRole("cell", { name: "delivered", exact: true }));
  await stay();
  await reader.check("delivered");

  await reader.goto(`${endpoint}/replay`);
  await reader.check("replay");
  const all = page.locator("section", { has: page.getByRole("heading", { name: "All of it" }) });
  await hands.press(all.getByRole("button", { name: "Start" }));
  await becomes(reader, page.getByText("finished", { exact: true }));
  await reader.check("replayed");

  await hands.press(to("Event catalogue"));
  await hands.press(to("order.paid"));
  await page.getByRole("heading", { name: "order.paid" }).waitFor();
  await reader.check("event-type");

  // It is not good on the operator's pages, nor is the link a second time.
  await reader.goto("/dashboard");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await reader.goto(link);
  await reader.refused(401, async () => {
    await hands.press(button("Open"));
    await page.getByText("used before").waitFor();
  });
  await reader.check("used");

  await reader.goto("/portal");
  await hands.press(button("Sign out"));
  await page.getByRole("heading", { name: "Signed out" }).waitFor();
  assert.deepEqual(await cookies(reader), []);
  await reader.goto("/portal", 401);
  await reader.check("out");
}
