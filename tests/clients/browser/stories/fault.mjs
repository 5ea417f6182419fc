// A story that ends badly: tests/tests/pages/faults.rs asks whether that is told.
import assert from "node:assert/strict";

export default async function (reader) {
  await reader.goto("/good");
  const field = reader.page.getByLabel("Name");
  await field.fill("Ada");
  assert.equal(await field.inputValue(), "Ada");
  await reader.check("filled");
  await field.fill("");
  assert.equal(await field.inputValue(), "Ada", "the field stays empty");
}
