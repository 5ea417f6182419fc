// What several stories have in common. It is no story itself.
import assert from "node:assert/strict";

const PATIENCE_MS = 30_000;

// Comes in by a token, typed; to where somebody wanted to go.
export async function signIn(reader, hands, token, wanted) {
  const { page } = reader;
  await reader.goto(wanted);
  assert.equal(new URL(page.url()).pathname, "/dashboard/sign-in");
  await reader.check("sign-in");
  await hands.write(page.getByLabel("Admin token or API key"), token);
  await hands.press(page.getByRole("button", { name: "Sign in" }));
  await page.waitForURL((url) => url.pathname === wanted);
  assert.ok(!page.url().includes(token));
}

// Leaves: neither the way back nor an address shows what was there.
export async function signOut(reader, hands, inside) {
  const { page } = reader;
  await hands.press(page.getByRole("button", { name: "Sign out" }));
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.goBack();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await reader.goto(inside);
  assert.equal(new URL(page.url()).pathname, "/dashboard/sign-in");
  assert.deepEqual(await cookies(reader), []);
}

// The cookies that the server has set, by name.
export async function cookies(reader) {
  const all = await reader.page.context().cookies();
  return all.map(({ name }) => name);
}

// Waits until a place is there: where scripts run it comes by itself, and else when it is asked for.
export async function becomes(reader, place) {
  if (reader.javaScript) return place.first().waitFor({ timeout: PATIENCE_MS });
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
    if (await place.count()) return;
    await reader.page.reload();
  }
  throw new Error(`${place} isn't there`);
}

// Marks the page as it is; gives what asks whether it still is that one, and was not loaded anew.
export async function marked(reader) {
  await reader.page.waitForLoadState("load");
  if (!reader.javaScript) return () => {};
  await reader.page.evaluate(() => (window.__stays = true));
  return async () => {
    assert.ok(await reader.page.evaluate(() => window.__stays), "the page was loaded anew");
  };
}

// Sends a form by hand, as a page of the same session might; gives the answer's status.
export async function post(reader, path, fields) {
  const posting = async ([path, fields]) => {
    const token = document.querySelector("[name=form-token]").value;
    const body = new URLSearchParams({ ...fields, "form-token": token });
    const answer = await fetch(path, { method: "POST", body, redirect: "manual" });
    return { status: answer.status, text: await answer.text() };
  };
  return reader.page.evaluate(posting, [path, fields]);
}
