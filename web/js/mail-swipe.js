// On touch screens lines are swiped: one way they go (to the archive, or where the list says), the other they are read or unread. From the
// screen's edge a message is swiped back to its list. The same acts have buttons and keys, and their undo.
import { send } from "./mail-acts.js";

const BEGINS_PX = 12; // less is a tap
const ACTS_AT = 0.3; // of the line's width
const EDGE_PX = 32;

let swipe = null;

export function swiping() {
  document.addEventListener("pointerdown", (event) => {
    if (event.pointerType !== "touch" || !event.isPrimary) return;
    const { clientX: x, clientY: y, pointerId: id } = event;
    const line = event.target.closest?.(".line");
    const isBack = !line && x < EDGE_PX && document.body.classList.contains("has-message");
    swipe = line || isBack ? { line, x, y, id, by: 0, isOn: false } : null;
  });
  document.addEventListener("pointermove", (event) => {
    if (!swipe || event.pointerId !== swipe.id) return;
    const [x, y] = [event.clientX - swipe.x, event.clientY - swipe.y];
    if (!swipe.isOn && Math.abs(y) > BEGINS_PX) return end(false);
    swipe.isOn ||= Math.abs(x) > BEGINS_PX;
    if (!swipe.isOn) return;
    swipe.by = x;
    if (swipe.line) show();
  });
  document.addEventListener("pointerup", () => end(true));
  document.addEventListener("pointercancel", () => end(false));
  // What was swiped isn't opened.
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".line.is-swiped")) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
}

// What it would do stands below the line, and is said more strongly where it would be done.
function show() {
  const { line, by } = swipe;
  const button = buttonOf(line, by);
  if (!button) return;
  line.classList.add("is-swiped");
  line.classList.toggle("is-far", isFar());
  const link = line.querySelector(".line-link");
  link.style.transform = `translateX(${by}px)`;
  let word = line.querySelector(".line-swipe");
  if (word?.dataset.act !== button.value) {
    word?.remove();
    word = document.createElement("span");
    word.className = "line-swipe";
    word.dataset.act = button.value;
    word.append(button.querySelector("svg").cloneNode(true), button.getAttribute("aria-label"));
    line.prepend(word);
  }
  word.classList.toggle("is-end", by < 0);
}

function isFar() {
  return Math.abs(swipe.by) > swipe.line.getBoundingClientRect().width * ACTS_AT;
}

function buttonOf(line, by) {
  const form = document.querySelector("#bulk");
  const name = by < 0 ? form?.dataset.swipe : line.classList.contains("is-unseen") ? "read" : "unread";
  return form?.querySelector(`button[value="${name}"]`);
}

function end(acts) {
  if (!swipe) return;
  const { line, by, isOn } = swipe;
  if (!line) {
    if (acts && isOn && by > EDGE_PX * 2) document.querySelector("[data-back]")?.click();
  } else if (isOn) {
    const form = document.querySelector("#bulk");
    const button = acts && isFar() ? buttonOf(line, by) : null;
    if (button) send(form.action, new URLSearchParams({ csrf: form.csrf.value, act: button.value, uid: line.dataset.uid }));
    line.querySelector(".line-link").style.transform = "";
    line.querySelector(".line-swipe")?.remove();
    // The click that ends a swipe comes after it.
    setTimeout(() => line.classList.remove("is-swiped", "is-far"), 50);
  }
  swipe = null;
}
