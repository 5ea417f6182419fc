// What is looked at on every page: in both sizes, light and dark, and without scripts.
import { DESK, PHONE } from "./browser.mjs";

// Colours are the scheme's, not the size's: each scheme is judged by them once, for they take long.

export async function visit(browser, { name, path, session, status, shows, picture, glance }) {
  const findings = [];
  let scripted = [];
  if (glance) {
    await look({}, async (reader) => {
      await reader.shows(shows);
      await reader.hostile();
      await reader.width(DESK.width);
    });
    return findings;
  }
  for (const view of [DESK, PHONE]) {
    await look({ view }, async (reader) => {
      await reader.shows(shows);
      await reader.check();
      if (view === PHONE) await reader.narrowest();
      if (view === DESK) scripted = await reader.outline();
      if (view === DESK && picture) await reader.forDocuments();
      await reader.dark();
      if (view === PHONE) await reader.colours();
      if (view === DESK) await reader.picture("", "-dark");
      if (view === DESK) await reader.keyboard();
    });
  }
  await look({ javaScript: false }, async (reader) => {
    await reader.shows(shows);
    const plain = await reader.outline();
    for (const item of scripted.filter((item) => !plain.includes(item))) {
      reader.found("no scripts", `only with scripts: ${item}`);
    }
    for (const item of plain.filter((item) => !scripted.includes(item))) {
      reader.found("no scripts", `only without scripts: ${item}`);
    }
  });
  return findings;

  async function look(how, see) {
    const reader = await browser.reader({ ...how, session, name });
    try {
      await reader.goto(path, status);
      await see(reader);
    } catch (error) {
      reader.found("error", error.stack);
    }
    findings.push(...(await reader.close()));
  }
}
