// What scripts add to pages that work without: content that keeps itself up to date, how long ago
// things were, and a question before what can't be undone. Nothing here talks to another host.
"use strict";

const live = document.querySelector("[data-live]");
const mark = document.querySelector("p.live");
let written = false;
live?.addEventListener("input", () => { written = true; });

function ago(at, now) {
  const seconds = Math.round((now - at) / 1000);
  const past = Math.abs(seconds);
  const text =
    past < 60 ? `${past} s` :
    past < 3600 ? `${Math.floor(past / 60)} min` :
    past < 86400 ? `${Math.floor(past / 3600)} h` :
    `${Math.floor(past / 86400)} d`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

// Written beside the time, or beside the link that it is the name of.
function tellTimes(within) {
  const now = Date.now();
  for (const time of within.querySelectorAll("time[datetime]")) {
    const at = Date.parse(time.dateTime);
    if (Number.isNaN(at)) continue;
    const named = time.closest("a") ?? time;
    let beside = named.nextElementSibling;
    if (!beside || !beside.classList.contains("ago")) {
      beside = document.createElement("span");
      beside.className = "ago";
      named.after(beside);
    }
    beside.textContent = ` ${ago(at, now)}`;
  }
}

// The focus stays where it was, as far as that is still there; what somebody writes is not replaced.
function replace(html) {
  const focused = document.activeElement;
  if (written || (live.contains(focused) && focused.matches("input, textarea, select"))) return;
  if (live.contains(focused) && !focused.id && !focused.getAttribute("href")) return;
  if (live.querySelector("details[open]") || !document.getSelection().isCollapsed) return;
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const where = live.contains(focused) && (focused.id
    ? `#${CSS.escape(focused.id)}`
    : `[href="${CSS.escape(focused.getAttribute("href"))}"]`);
  live.replaceChildren(...fresh.body.childNodes);
  tellTimes(live);
  if (where) live.querySelector(where)?.focus({ preventScroll: true });
}

function follow() {
  const events = new EventSource(live.dataset.live);
  events.onopen = () => { mark.hidden = false; };
  events.onmessage = (event) => replace(event.data);
  // It tries again by itself, unless it was refused.
  events.onerror = () => { mark.hidden = true; };
  return events;
}

tellTimes(document);
if (live && mark) {
  let events = follow();
  document.addEventListener("visibilitychange", () => {
    events.close();
    mark.hidden = true;
    if (!document.hidden) events = follow();
  });
  // A page that is left behind in the history holds no connection.
  window.addEventListener("pagehide", () => events.close());
}
setInterval(() => tellTimes(document), 10_000);

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.sure ?? event.target.dataset.sure;
  if (question && !window.confirm(question)) event.preventDefault();
});
