// New mail is told on the desktop, where one has asked for it in this browser; the browser is asked only upon a click.
import { inbox } from "./mail-page.js";

const WANTED = "relais-notify";

export function notifying() {
  const box = document.querySelector("[data-notify]");
  if (!box || !("Notification" in globalThis)) return;
  const button = box.querySelector("button");
  const state = box.querySelector("[role=status]");
  const show = () => {
    button.setAttribute("aria-pressed", String(isWanted()));
    state.textContent = Notification.permission === "denied" ? box.dataset.denied : isWanted() ? box.dataset.on : box.dataset.off;
  };
  button.addEventListener("click", async () => {
    if (isWanted()) localStorage.removeItem(WANTED);
    else if ((await Notification.requestPermission()) === "granted") localStorage.setItem(WANTED, "1");
    show();
  });
  box.hidden = false;
  show();
}

// Of the newest unread message of INBOX, where nobody looks at the page.
export async function notify() {
  if (!isWanted()) return;
  const answer = await fetch(`${inbox().href}?part=list`, { credentials: "same-origin" }).catch(() => null);
  if (!answer?.ok) return;
  const line = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".line.is-unseen");
  if (!line) return;
  const words = (selector) => line.querySelector(selector)?.textContent.trim() ?? "";
  // All tabs name it alike, so that one is shown.
  const note = new Notification(words(".line-who .one-line"), { body: words(".line-subject"), tag: `relais-${line.dataset.uid}` });
  note.addEventListener("click", () => {
    focus();
    line.querySelector(".line-link") && location.assign(line.querySelector(".line-link").getAttribute("href"));
    note.close();
  });
}

function isWanted() {
  try {
    return globalThis.Notification?.permission === "granted" && localStorage.getItem(WANTED) === "1";
  } catch {
    return false;
  }
}
