// Somebody who may look and no more is offered nothing else, and does nothing else by hand.
import assert from "node:assert/strict";
import { post, signIn } from "./steps.mjs";

const SHOP = "/dashboard/applications/shop";
const PAGES = [
  "/dashboard",
  "/dashboard/applications",
  "/dashboard/event-types",
  "/dashboard/event-types/order.paid",
  "/dashboard/keys",
  "/dashboard/settings",
  "/dashboard/sources",
  "/dashboard/sources/payments",
  SHOP,
  `${SHOP}/endpoints`,
  `${SHOP}/endpoints/willing`,
  `${SHOP}/messages`,
];

export default async function (reader, { token, message }, hands) {
  const { page } = reader;
  await signIn(reader, hands, token, PAGES[1]);
  for (const path of [...PAGES, `${SHOP}/messages/${message}`]) {
    await reader.goto(path);
    const forms = await page.locator('form[method="post"]').evaluateAll((all) =>
      all.map((form) => form.getAttribute("action")),
    );
    assert.deepEqual(forms, ["/dashboard/sign-out"], path);
    for (const text of ["New", "Edit", "Send", "Show secret"]) {
      const offered = page.getByRole("link", { name: text }).or(page.getByRole("button", { name: text }));
      const names = await offered.allTextContents();
      assert.deepEqual(names.filter((name) => name.startsWith(text)), [], path);
    }
  }
  await reader.check("message");
  const tried = {
    [`${SHOP}/messages/${message}/resend`]: { endpoint: "failing" },
    [`${SHOP}/endpoints/willing/secret`]: {},
    [`${SHOP}/endpoints/willing/delete`]: {},
    "/dashboard/applications/new": { name: "Mine" },
  };
  for (const [path, fields] of Object.entries(tried)) {
    await reader.refused(403, async () => {
      const { status, text } = await post(reader, path, fields);
      assert.equal(status, 403, path);
      assert.ok(text.includes("Your role does not allow this."), path);
    });
  }
  await reader.goto(`${SHOP}/endpoints/willing`);
}
