// A word in passing, for what needs no answer.
const STAYS_MS = 3500;

export function toast(text) {
  const place = document.querySelector(".toasts");
  if (!place || !text) return;
  const note = document.createElement("div");
  note.className = "toast";
  note.textContent = text;
  place.replaceChildren(note);
  setTimeout(() => note.remove(), STAYS_MS);
}

// What came of the last act can be put away.
export function flash(piece) {
  for (const notice of piece.querySelectorAll("[data-flash]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button is-quiet is-icon is-small";
    button.setAttribute("aria-label", document.body.dataset.close);
    button.append(icon("cross"));
    button.addEventListener("click", () => notice.remove());
    notice.append(button);
  }
}

// The sprite's path has a hash in it that only the page knows.
function icon(name) {
  const known = document.querySelector("svg.icon use");
  const sprite = known ? known.getAttribute("href").split("#")[0] : "";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
