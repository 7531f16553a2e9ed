// A search completes itself while it is typed: what the house suggests, and what was looked for in this tab before.
const AFTER_MS = 150;
const RECENT = "relais-searches";
const KEPT = 10;

export function searching() {
  keep(new URLSearchParams(location.search).get("q"));
  document.addEventListener("focusin", ({ target }) => target.matches("[data-suggest]") && suggest(target));
}

function suggest(field) {
  if (field.list) return;
  const list = document.createElement("datalist");
  list.id = "suggestions";
  field.after(list);
  field.setAttribute("list", list.id);
  let timer = null;
  const show = (suggestions) => {
    const fitting = recent().filter((text) => text !== field.value && text.startsWith(field.value));
    list.replaceChildren(...new Set([...suggestions, ...fitting].map(option)));
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      if (field.value.trim() === "") return show([]);
      const answer = await fetch(`/mail/suggestions?q=${encodeURIComponent(field.value)}`, { credentials: "same-origin" }).catch(() => null);
      if (answer?.ok) show(await answer.json());
    }, AFTER_MS);
  });
  show([]);
}

function option(text) {
  const option = document.createElement("option");
  option.value = text;
  return option;
}

// In this tab alone: whoever uses the browser next learns nothing.
function keep(text) {
  if (!text?.trim()) return;
  try {
    sessionStorage.setItem(RECENT, JSON.stringify([text, ...recent().filter((known) => known !== text)].slice(0, KEPT)));
  } catch {
    // There is no room, or none is given: then nothing is remembered.
  }
}

function recent() {
  try {
    return JSON.parse(sessionStorage.getItem(RECENT)) ?? [];
  } catch {
    return [];
  }
}
