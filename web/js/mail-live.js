// New mail shows itself, and so do changes from elsewhere. Where the connection is lost it is said, and tried again.
import { counts, inbox, page } from "./mail-page.js";
import { refresh } from "./mail-lines.js";
import { notify } from "./mail-notify.js";
import { toast } from "./toast.js";

const PAUSE_MS = 300; // what comes at once is shown at once
const AGAIN_MS = 5_000;

let isLost = false;
let waiting = null;

export function live() {
  listen();
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) soon(true);
  });
}

function listen() {
  const events = new EventSource("/mail/events");
  events.addEventListener("hello", () => {
    if (isLost) soon(true);
    isLost = false;
    say(false);
  });
  events.addEventListener("mail", ({ data }) => {
    const { mailbox, arrived } = JSON.parse(data);
    const isHere = document.querySelector("[data-mailbox]")?.dataset.mailbox === mailbox;
    // Elsewhere arrives what was moved, saved or sent, too.
    if (arrived > 0 && mailbox === inbox()?.dataset.folder) {
      if (document.hidden) notify();
      else toast(document.body.dataset.newMail);
    }
    soon(isHere);
  });
  events.addEventListener("missed", () => soon(true));
  events.addEventListener("error", () => {
    if (!isLost) setTimeout(() => say(isLost), AGAIN_MS);
    isLost = true;
    // A browser gives up where it was answered otherwise: the session ended, or there are too many who listen.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS * 6);
  });
}

// That the connection is lost is said as long as it is; a short break is not worth a word.
function say(lost) {
  document.querySelector("[data-lost]")?.remove();
  if (!lost) return;
  const notice = document.createElement("p");
  notice.className = "notice is-warn flash";
  notice.dataset.lost = "";
  notice.setAttribute("role", "status");
  notice.textContent = document.body.dataset.offline;
  document.querySelector("main").prepend(notice);
}

// Counts, and the list where it is the one that changed.
function soon(isHere) {
  const both = isHere || waiting?.isHere;
  clearTimeout(waiting?.timer);
  waiting = { isHere: both, timer: setTimeout(update, PAUSE_MS) };
}

async function update() {
  const { isHere } = waiting;
  waiting = null;
  // A page without a list is the quickest to tell the counts.
  const fetched = await page("/mail/choices");
  if (!fetched) return;
  const here = document.querySelector("[data-mailbox]")?.dataset.mailbox;
  for (const folder of fetched.document.querySelectorAll("[data-folder]")) {
    if (folder.dataset.folder === here) folder.setAttribute("aria-current", "page");
  }
  counts(fetched.document);
  if (isHere) await refresh();
}
