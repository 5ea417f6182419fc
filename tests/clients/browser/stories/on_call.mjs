// Somebody on call, with the role `operator`: sends again what was sent, and is offered nothing
// else, no secret above all, nor gets one by hand.
import assert from "node:assert/strict";
import { becomes, post, signIn } from "./steps.mjs";

const SHOP = "/dashboard/applications/shop";
const PAGES = [
  "/dashboard/event-types/order.paid",
  "/dashboard/keys",
  "/dashboard/settings",
  "/dashboard/sources",
  "/dashboard/sources/payments",
  SHOP,
  `${SHOP}/endpoints`,
  `${SHOP}/endpoints/willing`,
  `${SHOP}/endpoints/willing/replay`,
];
const MAY = /\/(sign-out|resend|recover|replay-missing|bulk-replay)$/;
const SECRET = /whsec_|\/in\/|Bearer of/;

export default async function (reader, { token, message }, hands) {
  const { page } = reader;
  const sent = `${SHOP}/messages/${message}`;
  await signIn(reader, hands, token, sent);

  const delivered = page.getByRole("row", { name: "delivered" });
  await hands.press(delivered.getByRole("button", { name: "Send again" }).first());
  await page.getByText("It is sent again").waitFor();
  await becomes(reader, page.getByText("sent again by hand"));
  await reader.check("message");

  for (const path of [...PAGES, sent]) {
    await reader.goto(path);
    const forms = await page.locator('form[method="post"]').evaluateAll((all) =>
      all.map((form) => form.getAttribute("action")),
    );
    assert.deepEqual(forms.filter((action) => !MAY.test(action)), [], path);
    for (const text of ["New", "Edit", "Make", "Change"]) {
      const offered = page.locator("main").getByRole("link", { name: text });
      const names = await offered.allTextContents();
      assert.deepEqual(names.filter((name) => name.startsWith(text)), [], path);
    }
    assert.doesNotMatch(await page.content(), SECRET, path);
  }
  const tried = {
    [`${SHOP}/endpoints/willing/secret`]: {},
    [`${SHOP}/endpoints/willing/secret/rotate`]: {},
    [`${SHOP}/endpoints/willing/cancel`]: {},
    [`${SHOP}/portal`]: {},
    "/dashboard/sources/payments/url": {},
    "/dashboard/keys": { name: "Mine", may: "all" },
  };
  for (const [path, fields] of Object.entries(tried)) {
    await reader.refused(403, async () => {
      const { status, text } = await post(reader, path, fields);
      assert.equal(status, 403, path);
      assert.ok(text.includes("Your role does not allow this."), path);
      assert.doesNotMatch(text, SECRET, path);
    });
  }

  await reader.goto(`${SHOP}/endpoints/willing/replay`);
  await reader.check("replay");
  const missing = page.locator("section", { has: page.getByRole("heading", { name: "What it never got" }) });
  await hands.press(missing.getByRole("button", { name: "Start" }));
  await becomes(reader, page.getByText("finished", { exact: true }));
}
