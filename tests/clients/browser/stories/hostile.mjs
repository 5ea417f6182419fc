// Each hostile text is noticed where a page takes it for more than text: the pages are those of
// tests/tests/pages/faults.rs.
export default async function (reader) {
  for (let number = 0; ; number++) {
    const before = reader.count;
    await reader.goto(`/hostile-${number}.html`);
    await reader.hostile();
    await reader.width(1280);
    if (await reader.page.locator("#end").count()) return;
    if (reader.count === before) reader.found("story", `text ${number} does no harm`);
  }
}
