// How somebody uses a page: with a mouse, or with nothing but the keyboard. A place is a locator of
// Playwright's.
const STOPS_MAX = 300;

export class Hands {
  #page;
  keyboard;

  constructor(page, keyboard) {
    this.#page = page;
    this.keyboard = keyboard;
  }

  // A link or a button.
  async press(place) {
    if (!this.keyboard) return place.click();
    await this.#reach(place);
    await this.#page.keyboard.press("Enter");
  }

  // A field; what is in it already is replaced.
  async write(place, text) {
    if (this.keyboard) await this.#reach(place);
    else await place.click();
    await this.#page.keyboard.press("ControlOrMeta+a");
    await this.#page.keyboard.type(text);
  }

  // A box.
  async tick(place) {
    if (!this.keyboard) return place.check();
    await this.#reach(place);
    await this.#page.keyboard.press("Space");
  }

  // One of the choices of a list, by its text.
  async choose(place, text) {
    if (!this.keyboard) return void (await place.selectOption({ label: text }));
    await this.#reach(place);
    await this.#page.keyboard.type(text);
  }

  // By the tab key, from wherever the focus is.
  async #reach(place) {
    await place.waitFor();
    for (let stop = 0; stop < STOPS_MAX; stop++) {
      if (await place.evaluate((element) => element.matches(":focus"))) return;
      await this.#page.keyboard.press("Tab");
    }
    throw new Error(`Tab doesn't reach ${place}`);
  }
}
