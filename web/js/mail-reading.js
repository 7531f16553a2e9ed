// A message opens beside its list, and the list stays where it is.
import { page, place } from "./mail-page.js";

const LINKS = ".line-link, .thread a, .message-beside a, .message-back, .pictures a";

export function reading() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(LINKS);
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0 || link.target) return;
    event.preventDefault();
    open(link.href);
  });
  addEventListener("popstate", () => open(location.href, { goes: false }));
}

// `goes`: the browser's history learns of it.
export async function open(href, { goes = true } = {}) {
  const reading = document.querySelector("[data-reading]");
  reading?.setAttribute("aria-busy", "true");
  const fetched = await page(href);
  if (!fetched) return location.assign(href);
  place(fetched.document);
  if (goes) history.pushState(null, "", fetched.url);
  mark();
  document.querySelector("[data-reading]").scrollTop = 0;
}

// The line of the open message.
export function mark() {
  const open = document.querySelector("[data-message]")?.dataset.message;
  for (const line of document.querySelectorAll(".line")) {
    const isOpen = line.dataset.uid === open;
    line.classList.toggle("is-open", isOpen);
    if (isOpen) line.classList.remove("is-unseen");
  }
}
