// One Chromium, and a context for each session and size of it. It reaches nothing but this
// machine, whatever a page asks for.
import { accessSync, constants, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { Reader } from "./reader.mjs";
import { Tab } from "./tab.mjs";

export const DESK = { name: "1280", width: 1280, height: 800 };
export const PHONE = { name: "390", width: 390, height: 844, phone: true };

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome"];
const PATIENCE_MS = 60_000; // generous, for slow machines

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export class Browser {
  #chromium;
  #contexts = new Map();
  #states = new Map(); // what a session's cookies are
  base;
  screenshots; // a folder
  pictures; // another, for what documents show, or none
  axe = axe;

  static async start({ base, screenshots, pictures }) {
    const browser = new Browser();
    Object.assign(browser, { base, screenshots, pictures });
    browser.#chromium = await chromium.launch({
      executablePath: program(),
      chromiumSandbox: process.getuid() !== 0, // which root can't have
      args: [
        "--disable-gpu", // there is none to be had, and to imitate one takes long
        "--disable-lcd-text", // so that screenshots have few colours
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
      ],
    });
    return browser;
  }

  // Signs in by a form at `path` with these `fields`; or by its button, where there are none.
  async signIn({ name, path, fields }) {
    const context = await this.#open({});
    const page = await context.newPage();
    await page.goto(this.base + path);
    const filled = Object.entries(fields ?? {});
    for (const [field, value] of filled) await page.locator(`[name="${field}"]`).fill(value);
    const last = filled.at(-1)?.[0];
    if (last) await page.locator(`[name="${last}"]`).press("Enter");
    else await page.getByRole("button").click();
    const elsewhere = page.waitForURL((url) => url.pathname !== path);
    await elsewhere.catch(() => {
      throw new Error(`signing in as ${name} leads nowhere: the page is still ${page.url()}`);
    });
    this.#states.set(name, await context.storageState());
    await context.close();
  }

  // Who looks at pages, signed in as `session` where there is one. `alone`: with cookies that nobody
  // else has.
  async reader({ session, view = DESK, javaScript = true, name, alone = false }) {
    if (session && !this.#states.has(session)) throw new Error(`nobody signed in as ${session}`);
    const key = [session, view.name, javaScript, alone && name].join();
    if (!this.#contexts.has(key)) {
      this.#contexts.set(key, { opening: this.#open({ session, view, javaScript }), idle: [] });
    }
    const { opening, idle } = this.#contexts.get(key);
    const tab = idle.pop() ?? (await Tab.open(await opening, idle, javaScript));
    return new Reader(this, tab, { view, javaScript, name });
  }

  async close() {
    await this.#chromium.close();
  }

  async #open({ session, view = DESK, javaScript = true }) {
    const context = await this.#chromium.newContext({
      storageState: this.#states.get(session),
      viewport: { width: view.width, height: view.height },
      isMobile: view.phone,
      hasTouch: view.phone,
      javaScriptEnabled: javaScript,
      colorScheme: "light",
      reducedMotion: "reduce",
      locale: "en-GB",
      timezoneId: "UTC",
    });
    context.setDefaultTimeout(PATIENCE_MS);
    return context;
  }
}

function program() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  for (const name of PROGRAMS) {
    for (const folder of folders) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {} // the next may be there
    }
  }
  throw new Error("there is no Chromium: run ./check once, which installs it");
}
