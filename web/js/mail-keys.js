// Keys that people know from other webmail; `?` shows them.
import { act } from "./mail-acts.js";
import { isTyping } from "./mail-page.js";

const ACTS = { e: "archive", "#": "delete", "!": "junk", s: "star", I: "read", U: "unread" };
let before = ""; // `g` waits for the next key

export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    const isDone = press(event.key);
    before = event.key === "g" ? "g" : "";
    if (isDone) event.preventDefault();
  });
}

function press(key) {
  if (before === "g" && key === "i") return go("a[data-folder]");
  if (key in ACTS) {
    act(ACTS[key]);
    return true;
  }
  switch (key) {
    case "j":
    case "k":
      return step(key === "j" ? 1 : -1);
    case "c":
      return go("[data-write-new]");
    case "r":
      return go("[data-reply]");
    case "a":
      return go("[data-reply-all]");
    case "f":
      return go("[data-forward]");
    case "o":
      return go(".line:focus-within .line-link");
    case "u":
    case "Escape":
      return document.body.classList.contains("has-message") && go("[data-back]");
    case "b":
      return ask("snooze", "button");
    case "v":
      return ask("move", "select");
    case "x": {
      const box = document.querySelector(".line:focus-within .line-pick, .line.is-open .line-pick");
      box?.click();
      return Boolean(box);
    }
    case "z":
      return go("[data-flash] form button");
    case "?":
      document.querySelector("[data-keys]")?.showModal();
      return true;
    default:
      return false;
  }
}

function go(selector) {
  const place = document.querySelector(selector);
  place?.click();
  return Boolean(place);
}

// Opens the menu that asks until when, or where to: of the open message, else of the list, for the line where the keyboard is.
function ask(name, first) {
  const box = document.querySelector(".line:focus-within .line-pick, .line.is-open .line-pick");
  const menu = document.querySelector(`[data-message] [data-${name}]`) ?? document.querySelector(`#bulk [data-${name}]`);
  if (!menu) return false;
  if (menu.closest("#bulk") && box && !document.querySelector(".line-pick:checked")) box.click();
  menu.open = true;
  menu.querySelector(first).focus();
  return true;
}

// To the next line, or the one before; with a message open, that one opens.
function step(by) {
  const lines = [...document.querySelectorAll(".line")];
  const at = lines.findIndex((line) => line.matches(":focus-within, .is-open"));
  const line = lines[at < 0 ? 0 : at + by];
  if (!line) return false;
  const link = line.querySelector(".line-link");
  link.focus({ preventScroll: false });
  line.scrollIntoView({ block: "nearest" });
  if (document.body.classList.contains("has-message")) link.click();
  return true;
}
