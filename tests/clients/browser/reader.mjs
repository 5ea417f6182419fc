// Somebody who looks at pages in a tab, and judges what is to be seen and what is noticed there. A
// hostile text is written so that it sets `__xss` or asks for a path with `xss` in it if it is ever
// more than text.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { handlers, isolation, keys, outline, schemes, settled, stops, wide } from "./in_page.mjs";
import { compact } from "./png.mjs";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const COLOURS = ["color-contrast", "link-in-text-block"];
// What depends on the size; everything else is the same on a phone, and takes long.
const SIZES = ["meta-viewport", "target-size", "scrollable-region-focusable"];
const NARROWEST = 360;
const PICTURE_HEIGHT_MAX = 4_000;
const PATIENCE_MS = 20_000;

const soon = () => new Promise((over) => setTimeout(over, 20));

export class Reader {
  #browser;
  #view;
  #javaScript;
  #name;
  #findings = [];
  #expected = 200;
  #refusal; // what a story is refused something with, while it is
  #untold = new Map(); // by status: refusals that the console has not told of yet
  #questions = [];
  #tab;
  others = []; // hosts that a story is about as well

  constructor(browser, tab, { view, javaScript, name }) {
    this.#browser = browser;
    this.#tab = tab;
    this.#view = view;
    this.#javaScript = javaScript;
    this.#name = name;
    tab.reader = this;
  }

  // Whether scripts run.
  get javaScript() {
    return this.#javaScript;
  }

  // Playwright's.
  get page() {
    return this.#tab.page;
  }

  get base() {
    return this.#browser.base;
  }

  // Goes to a path, which must be answered with this status and a policy that lets in no script.
  async goto(path, status = 200) {
    this.#expected = status;
    const response = await this.page.goto(this.base + path);
    if (response.status() !== status) {
      this.found("answer", `${path} was answered ${response.status()}, not ${status}`);
    }
    const policy = response.headers()["content-security-policy"] ?? "";
    if (!/(default|script)-src/.test(policy) || /unsafe-|(-src|\s)\*/.test(policy)) {
      this.found("policy", `${path} has no strict Content-Security-Policy: ${policy || "none"}`);
    }
    await this.settle();
  }

  // Everything that can be seen of the page as it is: for a story, between two steps of it. `label`
  // names the screenshot. Without scripts, axe can't run.
  async check(label) {
    await this.settle();
    await this.hostile();
    await this.width(this.#view.width);
    if (this.#javaScript) await this.accessible();
    await this.picture(label);
  }

  // Waits until the page is loaded, and has been drawn once.
  async settle() {
    await this.page.waitForLoadState("load");
    if (this.#javaScript) await this.page.evaluate(settled);
  }

  // How much was found so far.
  get count() {
    return this.#findings.length;
  }

  found(kind, text) {
    const view = this.#view.name + (this.#javaScript ? "" : ", no scripts");
    this.#findings.push({ view, kind, text });
  }

  // What `act` does is refused with this status, and nothing is that comes after it.
  async refused(status, act) {
    const refusal = { status, came: 0 };
    this.#refusal = refusal;
    await act();
    this.#refusal = undefined;
    if (!refusal.came) throw new Error(`nothing was answered ${status}`);
  }

  // What is wrong when `act` is done is what should be: `part` of a sentence of this kind is found.
  async finds(kind, part, act) {
    const before = this.#findings.length;
    await act();
    const meant = (one) => one.kind === kind && one.text.includes(part);
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await soon()) {
      const found = this.#findings.findIndex((one, at) => at >= before && meant(one));
      if (found < 0) continue;
      this.#findings = this.#findings.filter((one, at) => at < before || !meant(one));
      return;
    }
    throw new Error(`no ${kind} with ${JSON.stringify(part)}`);
  }

  // Says yes when the page asks this, which it must while `act` is done.
  async sure(question, act) {
    this.#questions.push(question);
    await act();
    if (this.#questions.pop()) throw new Error(`the page didn't ask ${JSON.stringify(question)}`);
  }

  // For the tab: whether that is to be answered yes.
  isAsked(question) {
    if (this.#questions.at(-1) !== question) return false;
    this.#questions[this.#questions.length - 1] = undefined;
    return true;
  }

  // Texts that the page must show, or have in a field.
  async shows(texts) {
    const whole = await this.page.evaluate(() => {
      const fields = [...document.querySelectorAll("input, textarea")].map(({ value }) => value);
      return [document.body.textContent, ...fields].join(" ").replace(/\s+/g, " ");
    });
    for (const text of texts) {
      if (!whole.includes(text)) this.found("text", `${JSON.stringify(text)} isn't there`);
    }
  }

  // Nothing that came from outside is more than text.
  async hostile() {
    const found = [handlers, schemes, isolation].map((look) => this.page.evaluate(look));
    for (const text of (await Promise.all(found)).flat()) this.found("injection", text);
  }

  // At this width, nothing reaches over the right edge.
  async width(width) {
    const { height } = this.#view;
    if (width !== this.#view.width) await this.page.setViewportSize({ width, height });
    for (const text of await this.page.evaluate(wide, width)) this.found(`${width} px`, text);
    if (width !== this.#view.width) await this.page.setViewportSize(this.#size());
  }

  async narrowest() {
    await this.width(NARROWEST);
  }

  // What axe finds: on a phone, what it finds there alone.
  async accessible() {
    const { phone } = this.#view;
    await this.#axe({ runOnly: phone ? { type: "rule", values: SIZES } : { type: "tag", values: RULES } });
  }

  // What axe finds wrong with colours.
  async colours() {
    await this.#axe({ runOnly: { type: "rule", values: COLOURS } });
  }

  // Dark from here on.
  async dark() {
    await this.page.emulateMedia({ colorScheme: "dark" });
    await this.settle();
  }

  async picture(label, suffix = "") {
    const { width } = this.#view;
    const whole = await this.page.evaluate(() => document.documentElement.scrollHeight);
    const clip = { x: 0, y: 0, width, height: Math.min(whole, PICTURE_HEIGHT_MAX) };
    const name = `${label ? `${this.#name}-${label}` : this.#name}-${width}${suffix}.png`;
    await this.page.screenshot({
      path: join(this.#browser.screenshots, name),
      fullPage: true,
      clip,
      caret: "initial", // hiding it would add a style, which a policy may refuse
    });
  }

  // What documents show of the page: what fits into the window, small enough for a repository.
  async forDocuments() {
    const { pictures } = this.#browser;
    if (!pictures) return;
    const png = compact(await this.page.screenshot({ caret: "initial" }));
    await writeFile(join(pictures, `${this.#name}.png`), png);
  }

  // Headings and links: what a page is about, and where it leads.
  async outline() {
    return this.page.evaluate(outline);
  }

  // Tab reaches every control, and each shows that it has the focus.
  async keyboard() {
    if (!this.#javaScript) throw new Error("the keyboard can't be followed without scripts");
    const stopped = await this.page.evaluate(keys);
    let reached;
    for (let pressed = 0; pressed <= 2 * stopped + 10; pressed++) {
      if (pressed % 16 === 0 || pressed >= stopped) {
        reached = await this.page.evaluate(stops);
        if (reached.missed.length === 0) break;
      }
      await this.page.keyboard.press("Tab");
    }
    for (const control of reached.missed) this.found("keyboard", `Tab doesn't reach ${control}`);
    for (const control of reached.unseen) this.found("keyboard", `no visible focus: ${control}`);
  }

  // Leaves the tab, which others then use; gives what was found.
  async close() {
    await this.#tab.leave();
    return this.#findings;
  }

  // For the tab: what was answered.
  answered(response) {
    const main = response.request().isNavigationRequest();
    if (response.status() === this.#refusal?.status) {
      this.#refusal.came++;
      this.#count(this.#refusal.status, 1);
      return;
    }
    if (response.status() >= 400 && !(main && response.status() === this.#expected)) {
      this.found("request", `${response.url()} was answered ${response.status()}`);
    }
  }

  // For the tab: what the console says.
  said(message) {
    const wrong = ["error", "warning", "assert"].includes(message.type());
    const { url } = message.location();
    const expected =
      (this.#tells(message, this.#expected) && this.#expected >= 400 && url === this.page.url()) ||
      this.#isRefusal(message);
    // Chromium asks for the icon by itself, once for all pages.
    if (wrong && !expected && !url.endsWith("/favicon.ico")) this.found("console", `${message.type()}: ${message.text()}`);
  }

  // For the tab: what is asked for.
  asked(url) {
    const { protocol, host, pathname } = new URL(url);
    if (["data:", "blob:", "about:"].includes(protocol)) return;
    if (![new URL(this.base).host, ...this.others].includes(host)) this.found("host", `${url} was asked for`);
    if (pathname.includes("xss")) this.found("injection", `${url} was asked for`);
  }

  // Whether the console tells of what a story is refused with, or was a moment ago.
  #isRefusal(message) {
    const statuses = [this.#refusal?.status, ...this.#untold.keys()];
    const status = statuses.find((one) => one && this.#tells(message, one));
    if (!status || (status !== this.#refusal?.status && this.#untold.get(status) <= 0)) return false;
    this.#count(status, -1);
    return true;
  }

  #tells(message, status) {
    return message.text().includes(`status of ${status}`);
  }

  #count(status, by) {
    this.#untold.set(status, (this.#untold.get(status) ?? 0) + by);
  }

  async #axe(options) {
    // Not a script of the page, so its policy has no say.
    if (!(await this.page.evaluate(() => "axe" in window))) {
      await this.page.evaluate(this.#browser.axe);
    }
    const { judged, violations } = await this.page.evaluate(
      async (options) => {
        const { passes, violations } = await window.axe.run(document, options);
        const wrong = violations.map(({ id, help, nodes }) => ({
          id,
          help,
          nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => `${html}\n${failureSummary}`),
        }));
        return { judged: passes.length + violations.length, violations: wrong };
      },
      { ...options, resultTypes: ["violations"], preload: false },
    );
    if (judged === 0) this.found("accessibility", "axe has judged nothing");
    for (const { id, help, nodes } of violations) {
      this.found("accessibility", `${id}: ${help}\n${nodes.join("\n")}`);
    }
  }

  #size() {
    return { width: this.#view.width, height: this.#view.height };
  }
}
