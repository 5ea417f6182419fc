// What is refused once must not be refused twice: what comes after it is told, in the answer and in
// the console. tests/tests/pages/faults.rs has the pages.
export default async function (reader) {
  await reader.goto("/good");
  const ask = (path) =>
    reader.page.evaluate((path) => {
      const image = new Image();
      image.src = path;
      return new Promise((over) => (image.onerror = () => over()));
    }, path);
  await reader.refused(404, () => ask("/missing-once"));
  await reader.finds("console", "status of 404", () =>
    reader.finds("request", "/missing-twice was answered 404", () => ask("/missing-twice")),
  );
}
