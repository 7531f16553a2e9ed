// Acts upon messages without leaving the page: their forms are sent as they are, and what came of it is shown.
import { begin } from "./mail-lines.js";
import { mark } from "./mail-reading.js";
import { page, place, tell } from "./mail-page.js";
import { toast } from "./toast.js";

// What is put in anew after an act: beside the list's head, which is in use; and of a page without a list.
const PANES = ["[data-folders]", "[data-title]", "[data-reading]", ".mail-lines"];
const SHEET = ["[data-folders]", "main"];

export function acts() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("[data-acts], [data-flash] form, .pictures form, .invitation form")) return;
    event.preventDefault();
    const body = fields(form, event.submitter);
    // Times are of where the reader is.
    if (body.has("zone")) body.set("zone", Intl.DateTimeFormat().resolvedOptions().timeZone);
    const done = await send(form.action, body);
    if (!done) toast(document.body.dataset.failed);
  });
  dragging();
}

// A form's fields. That all of a list is meant holds for one act: the next is of what is chosen then.
function fields(form, submitter) {
  const body = new URLSearchParams(new FormData(form, submitter));
  const whom = form.querySelector("select[name=whom]");
  if (whom) whom.value = "";
  return body;
}

// Sends a form's fields, and shows the page that it leads to.
export async function send(action, body) {
  // Who presses and goes elsewhere at once has pressed: it is sent all the same.
  const fetched = await page(action, { method: "POST", body, keepalive: true });
  if (!fetched) return false;
  if (fetched.document.querySelector("[data-write]")) {
    location.assign(fetched.url); // what was sent is stopped, and written on
    return true;
  }
  const scroll = document.querySelector("[data-scroll]");
  const top = scroll?.scrollTop ?? 0;
  place(fetched.document, fetched.document.body.matches(".is-sheet") ? SHEET : PANES);
  tell(fetched.document);
  history.replaceState(null, "", fetched.url);
  begin();
  mark();
  const now = document.querySelector("[data-scroll]");
  if (now) now.scrollTop = top;
  return true;
}

// The act of this name: of the open message where there is one, else of the chosen lines, else of the line where the keyboard is.
export function act(name) {
  const open = document.querySelector("[data-message] [data-acts]");
  const form = open ?? document.querySelector("#bulk");
  if (!form) return;
  const body = fields(form);
  if (!open && !body.has("uid")) {
    const line = document.querySelector(".line:focus-within, .line.is-open");
    if (!line) return;
    body.set("uid", line.dataset.uid);
    body.delete("whom");
  }
  body.set("act", name);
  send(form.action, body);
}

// Lines are dragged onto a mailbox: the chosen ones, where the one that is dragged is among them.
function dragging() {
  const KIND = "application/x-relais-uids";
  document.addEventListener("dragstart", (event) => {
    const line = event.target.closest?.(".line");
    if (!line) return;
    const chosen = [...document.querySelectorAll(".line-pick:checked")].map((box) => box.value);
    const uids = chosen.includes(line.dataset.uid) ? chosen : [line.dataset.uid];
    event.dataTransfer.setData(KIND, uids.join(","));
    event.dataTransfer.effectAllowed = "move";
  });
  const target = (event) => event.dataTransfer?.types.includes(KIND) && event.target.closest?.("a[data-folder]");
  document.addEventListener("dragover", (event) => {
    const folder = target(event);
    if (!folder) return;
    event.preventDefault();
    folder.classList.add("is-target");
  });
  document.addEventListener("dragleave", (event) => event.target.closest?.("a[data-folder]")?.classList.remove("is-target"));
  document.addEventListener("drop", (event) => {
    const folder = target(event);
    const form = document.querySelector("#bulk");
    if (!folder || !form) return;
    event.preventDefault();
    folder.classList.remove("is-target");
    const body = new URLSearchParams({ csrf: form.csrf.value, act: "move", to: folder.dataset.folder });
    for (const uid of event.dataTransfer.getData(KIND).split(",")) body.append("uid", uid);
    send(form.action, body);
  });
}
