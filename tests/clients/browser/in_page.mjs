// What runs in the page itself: each function is sent there as text, so none uses anything outside
// of it.

// Drawn once: what was to happen while loading has happened.
export async function settled() {
  await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  for (const animation of document.getAnimations()) {
    if (Number.isFinite(animation.effect.getComputedTiming().endTime)) animation.finish();
  }
}

// Headings and links.
export function outline() {
  const text = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")];
  const links = [...document.querySelectorAll("a[href]")];
  return [
    ...headings.map((heading) => `${heading.localName} ${text(heading)}`),
    ...links.map((link) => `link ${text(link)} to ${link.getAttribute("href")}`),
  ];
}

// What reaches over the right edge, and isn't inside of something that scrolls by itself.
export function wide(width) {
  const whole = document.documentElement.scrollWidth;
  const named = (element) => element.outerHTML.slice(0, 120);
  const scrolls = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== "visible") return true;
    }
    return false;
  };
  const over = [...document.body.querySelectorAll("*")].filter((element) => {
    const { right, width: own } = element.getBoundingClientRect();
    return own > 0 && right + scrollX > width + 1 && !scrolls(element);
  });
  const innermost = over.filter((element) => !over.some((o) => o !== element && element.contains(o)));
  if (whole <= width && innermost.length === 0) return [];
  const list = innermost.slice(0, 3).map(named).join("\n");
  return [`the page is ${whole} px wide; over the edge:\n${list}`];
}

// Handlers in attributes, frames, texts that became markup, and templates that were worked out: a
// page has none of its own.
export function handlers() {
  const found = [];
  for (const element of document.querySelectorAll("*")) {
    const own = element.outerHTML.slice(0, 160);
    for (const { name } of element.attributes) {
      if (name.startsWith("on")) found.push(`a handler in the markup: ${own}`);
    }
    if (element.localName === "x-xss" || element.hasAttribute("x-xss")) {
      found.push(`a text became markup: ${own}`);
    }
    if (["base", "iframe", "object", "embed", "frame"].includes(element.localName)) {
      found.push(`what a page has no use for: ${own}`);
    }
  }
  // 7919 * 7907, in any syntax of templates.
  if (document.documentElement.textContent.includes("62615533")) {
    found.push("a template in a text was worked out");
  }
  return found;
}

// Links and forms that lead to more than a page.
export function schemes() {
  const found = [];
  const names = ["href", "src", "action", "formaction", "data", "xlink:href", "poster"];
  for (const name of names) {
    for (const element of document.querySelectorAll(`[${CSS.escape(name)}]`)) {
      const value = element.getAttribute(name);
      const protocol = URL.canParse(value, document.baseURI)
        ? new URL(value, document.baseURI).protocol
        : "no URL";
      const image = protocol === "data:" && value.startsWith("data:image/");
      if (!["http:", "https:", "mailto:"].includes(protocol) && !image) {
        found.push(`${name} is ${protocol} in ${element.outerHTML.slice(0, 160)}`);
      }
    }
  }
  return found;
}

// A text that turns the direction of writing may turn nothing but itself: it is alone in its block,
// or isolated (as in a `bdi`).
export function isolation() {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (!/[\u202a-\u202e\u2066-\u2069]/.test(data) || !parentElement.checkVisibility()) continue;
    let around = parentElement;
    let alone = false;
    while (around !== document.body) {
      const { display, unicodeBidi } = getComputedStyle(around);
      const block = !/^(inline|contents)$/.test(display);
      alone = !block && /isolate|plaintext/.test(unicodeBidi);
      if (block || alone) break;
      around = around.parentElement;
    }
    if (!alone && around.textContent.trim() !== data.trim()) {
      found.push(`a text turns what is beside it: ${around.outerHTML.slice(0, 160)}`);
    }
  }
  return found;
}

// Gets ready for the tab key; gives the number of stops.
export function keys() {
  const named = (element) => element.outerHTML.slice(0, 120);
  const look = (element) => {
    for (const animation of element.getAnimations()) animation.finish();
    const style = getComputedStyle(element);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return [outlined && style.outline, style.boxShadow, style.borderColor].join();
  };
  const inGroup = (element) => {
    if (element.type !== "radio") return false;
    const group = [...document.getElementsByName(element.name)];
    const first = group.find((one) => one.checked) ?? group[0];
    return first !== element;
  };
  const selector = "a[href], button, input, select, textarea, summary, [tabindex]";
  const controls = [...document.querySelectorAll(selector)].filter(
    (one) =>
      one.tabIndex >= 0 &&
      !one.matches(":disabled, [type=hidden], [inert], [inert] *") &&
      one.checkVisibility({ visibilityProperty: true }) &&
      !inGroup(one),
  );
  document.activeElement?.blur(); // a page may begin with the focus in a field
  const before = new Map(controls.map((one) => [one, look(one)]));
  const state = { waiting: new Set(controls), unseen: [], named };
  document.addEventListener("focusin", ({ target }) => {
    if (state.waiting.delete(target) && look(target) === before.get(target)) {
      state.unseen.push(named(target));
    }
  });
  window.__keys = state;
  // Day, month, year and so on are stops of their own.
  const times = controls.filter((one) => one.type === "datetime-local");
  return controls.length + 7 * times.length;
}

// What was reached so far.
export function stops() {
  const { waiting, unseen, named } = window.__keys;
  return { missed: [...waiting].map(named), unseen };
}
