// The list goes on as it is scrolled: only what is near is in the page, whatever the list's length. Above and below stands as much room as
// the other lines would take, so that the scroll bar says where one is.
import { page, place } from "./mail-page.js";
import { mark } from "./mail-reading.js";

const WINDOW = 50; // lines that are fetched at once, as the server's pages have them
const KEPT = 5; // windows in the page

let windows = new Map(); // by their first line: the lines, or null while they are on their way
let height = 0;
let state = null;

export function lines() {
  begin();
  // The list may be put in anew: whatever scrolls in its place is heard.
  document.addEventListener("scroll", (event) => event.target.matches?.("[data-scroll]") && look(), { capture: true, passive: true });
  document.addEventListener("change", () => forget(".line-pick:not(:checked)"));
  addEventListener("resize", () => {
    if (!state) return;
    measure();
    draw();
    look();
  });
}

// Begins anew with what the server has put in the page.
export function begin() {
  const list = document.querySelector("[data-lines]");
  state = null;
  forget(".line-pick");
  if (!list || list.children.length === 0 || Number(list.dataset.offset) % WINDOW !== 0) return;
  const { total, offset, href } = list.dataset;
  state = { list, total: Number(total), href };
  windows = new Map([[Number(offset), [...list.children]]]);
  document.querySelector("[data-pager]").hidden = true;
  measure();
  draw();
  if (Number(offset) > 0) document.querySelector("[data-scroll]").scrollTop = Number(offset) * height;
  look();
}

function measure() {
  height = state.list.querySelector(".line")?.getBoundingClientRect().height || height || 1;
}

function look() {
  if (!state) return;
  const scroll = document.querySelector("[data-scroll]");
  const first = Math.floor(scroll.scrollTop / height / WINDOW) * WINDOW;
  const last = Math.floor((scroll.scrollTop + scroll.clientHeight) / height / WINDOW) * WINDOW;
  for (let at = Math.max(0, first - WINDOW); at <= Math.min(last + WINDOW, state.total - 1); at += WINDOW) {
    if (!windows.has(at)) fetchWindow(at);
  }
  const far = [...windows.keys()].filter((at) => windows.get(at) && Math.abs(at - first) > KEPT * WINDOW);
  for (const at of far) windows.delete(at);
  if (far.length) draw();
}

// `isKept`: the lines that are there stay until the new ones come; where none come, they stay.
async function fetchWindow(at, isKept = false) {
  const [known, mine] = [state, windows]; // a list that begins anew meanwhile has others
  if (!isKept) mine.set(at, null);
  const query = new URLSearchParams(location.search);
  query.set("offset", at);
  query.set("part", "list");
  query.delete("pictures");
  try {
    const answer = await fetch(`${known.href}?${query}`, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (known !== state) return;
    if (!answer.ok) throw new Error(String(answer.status));
    const list = page.querySelector("[data-lines]");
    if (Number(list.dataset.offset) !== at) return mine.delete(at); // the list has become shorter
    state.total = Number(list.dataset.total);
    mine.set(at, [...list.children].map((line) => document.importNode(line, true)));
    draw();
    document.dispatchEvent(new Event("placed"));
  } catch {
    if (!mine.get(at)) mine.delete(at);
  }
}

// The lines that are here, each window in its place. The keyboard stays on its line.
function draw() {
  const { list, total } = state;
  const starts = [...windows.keys()].filter((at) => windows.get(at)).sort((one, other) => one - other);
  const nodes = [];
  let next = 0;
  for (const at of starts) {
    if (at > next) nodes.push(room((at - next) * height));
    nodes.push(...windows.get(at));
    next = at + windows.get(at).length;
  }
  if (next < total) nodes.push(room((total - next) * height));
  const held = list.contains(document.activeElement) ? document.activeElement : null;
  const uid = held?.closest(".line")?.dataset.uid;
  const chosen = document.querySelectorAll(".line-pick:checked");
  list.replaceChildren(...nodes);
  keep(chosen);
  if (uid) list.querySelector(`.line[data-uid="${uid}"] ${held.matches(".line-pick") ? ".line-pick" : ".line-link"}`)?.focus({ preventScroll: true });
}

// What is chosen stays so, also where its line isn't in the page now: its box waits in the form, unseen, and is counted and sent with the
// others.
function keep(chosen) {
  const drawn = new Map([...state.list.querySelectorAll(".line-pick")].map((box) => [box.value, box]));
  for (const box of chosen) {
    const here = drawn.get(box.value);
    if (here) here.checked = true;
    box.hidden = !here;
    if (!here) document.querySelector("#bulk").append(box);
    else if (here !== box) box.remove();
  }
}

// Boxes that wait in the form for nothing: unchosen by the box for all, of another list, or of messages that have gone.
function forget(boxes) {
  const waiting = document.querySelectorAll(`#bulk > ${boxes}`);
  for (const box of waiting) box.remove();
  if (waiting.length > 0) document.dispatchEvent(new Event("placed"));
}

function room(size) {
  const gap = document.createElement("li");
  gap.setAttribute("aria-hidden", "true");
  gap.style.height = `${size}px`;
  return gap;
}

// The list is fetched anew: mail came, or went. Where no list stands, something may be written, and stays.
export async function refresh() {
  if (!document.querySelector("[data-lines]")) return;
  if (!state) return anew();
  const scroll = document.querySelector("[data-scroll]");
  const at = Math.floor(scroll.scrollTop / height / WINDOW) * WINDOW;
  windows = new Map([...windows].filter(([first]) => Math.abs(first - at) <= WINDOW));
  state = { ...state };
  await Promise.all([...windows.keys()].map((first) => fetchWindow(first, true)));
  // What isn't in a list that is here as a whole has gone.
  if (document.querySelectorAll(".line").length >= state?.total) forget(".line-pick");
  mark();
  look();
}

// A list that was empty is put in whole. The page isn't loaded anew: what came of the last act still stands on top, and can be taken back.
async function anew() {
  const fetched = await page(location.href);
  if (!fetched) return;
  place(fetched.document, ["[data-title]", ".mail-lines"]);
  begin();
  mark();
}
