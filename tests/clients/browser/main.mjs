// Looks at pages in a real Chromium, all within one start of it, and tells stories in them. What
// to look at comes as JSON on standard input; what was found goes out as JSON on standard output.
// tests/src/browser.rs writes the one and reads the other.
//
// A page is a row there. A story is stories/NAME.mjs, whose default export gets a Reader, what the
// test gives it, and Hands: see reader.mjs and hands.mjs for what they can do. Its cookies are its
// own, but a session that it is given is that of others too: a story that signs out signs in itself.
import { text } from "node:stream/consumers";
import { Browser } from "./browser.mjs";
import { Hands } from "./hands.mjs";
import { visit } from "./visit.mjs";

const AT_ONCE = 2; // pages

const job = JSON.parse(await text(process.stdin));
const browser = await Browser.start(job);
const findings = [];
const visited = [];
try {
  for (const session of job.sessions) await browser.signIn(session);
  const tasks = [
    ...job.pages.map((row) => [row.name, () => visit(browser, row)]),
    ...job.stories.map((row) => [`story ${row.name}`, () => tell(row)]),
  ];
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(tasks)));
} finally {
  await browser.close();
}
console.log(JSON.stringify({ findings, visited }));

async function work(tasks) {
  for (let task = tasks.shift(); task; task = tasks.shift()) {
    const [name, act] = task;
    const began = performance.now();
    findings.push(...(await act()).map((finding) => ({ page: name, ...finding })));
    visited.push({ name, ms: Math.round(performance.now() - began) });
  }
}

async function tell({ name, file, session, given, keyboard, javaScript }) {
  const { default: story } = await import(`./stories/${file}.mjs`);
  const reader = await browser.reader({ session, javaScript, name, alone: true });
  try {
    await story(reader, given, new Hands(reader.page, keyboard));
  } catch (error) {
    reader.found("story", `${error.stack}\nat ${reader.page.url()}`);
    await reader.picture("failed").catch(() => {}); // the page may be what failed
  }
  return reader.close();
}
