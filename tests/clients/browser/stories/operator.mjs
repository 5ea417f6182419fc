// What somebody does who keeps a server running, from the sign-in to the sign-out: makes an
// endpoint, sends an example to it and sees it fail as it happens, sends it again, and leaves. Told
// where scripts run, and where none do: what appears by itself in one appears in the other when the
// page is asked for again.
import assert from "node:assert/strict";
import { becomes, marked, signIn, signOut } from "./steps.mjs";

export default async function (reader, { token, receiver }, hands) {
  const { page } = reader;
  const link = (name) => page.getByRole("link", { name, exact: true });
  const button = (name) => page.getByRole("button", { name, exact: true });

  await signIn(reader, hands, token, "/dashboard/applications");
  await reader.check("applications");
  await hands.press(link("empty"));
  await hands.press(page.locator("main").getByRole("link", { name: "Endpoints", exact: true }));
  await hands.press(link("New endpoint"));

  // A form that is refused keeps what was written, and says what is wrong.
  await reader.refused(422, async () => {
    await hands.write(page.getByLabel("URL"), "nowhere");
    await hands.write(page.getByLabel("Description"), "Made in a browser");
    await hands.press(button("Save"));
    await page.getByRole("alert").waitFor();
  });
  await reader.check("refused");
  assert.equal(await page.getByLabel("Description").inputValue(), "Made in a browser");
  await hands.write(page.getByLabel("URL"), receiver);
  await hands.tick(page.getByLabel("order.paid"));
  await hands.press(button("Save"));
  await page.getByText("Made.", { exact: true }).waitFor();
  await reader.shows([receiver, "Made in a browser", "order.paid"]);
  await reader.check("endpoint");

  await hands.press(link("Send an example"));
  await hands.choose(page.getByLabel("Event type"), "order.paid");
  await hands.press(button("Send"));
  await page.getByRole("heading", { name: /^Message / }).waitFor();
  const stay = await marked(reader);
  await becomes(reader, page.getByRole("cell", { name: "pending, tried again" }));
  await becomes(reader, page.getByRole("cell", { name: "503", exact: true }));
  await stay();
  await reader.check("failed");

  await hands.press(button("Send again"));
  await page.getByText("It is sent again").waitFor();
  const stayAgain = await marked(reader);
  await becomes(reader, page.getByRole("cell", { name: "delivered", exact: true }));
  await becomes(reader, page.getByText("sent again by hand"));
  await stayAgain();
  await reader.check("delivered");

  // The attempt itself: what was answered.
  await hands.press(page.getByRole("row", { name: "sent again by hand" }).getByRole("link").first());
  await page.getByText("taken at last").waitFor();
  await reader.check("attempt");

  const inside = new URL(page.url()).pathname;
  await signOut(reader, hands, inside);
}
