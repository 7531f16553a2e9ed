// What is written saves itself, one save after the other, so that a draft is never there twice; and addresses complete themselves.
const SAVE_AFTER_MS = 4_000;
const COMPLETE_AFTER_MS = 150;

export function writing() {
  const form = document.querySelector("form[data-write]");
  if (!form) return;
  saving(form);
  for (const name of ["to", "cc", "bcc"]) completing(form.elements[name]);
}

function saving(form) {
  let timer = null;
  let isSaving = false;
  let isLeaving = false;
  let isTyped = false; // and not yet saved
  const state = form.querySelector("[data-state]");
  const later = () => {
    clearTimeout(timer);
    isTyped = true;
    if (!isLeaving) timer = setTimeout(save, SAVE_AFTER_MS);
  };
  const save = async () => {
    if (isSaving || isLeaving) return later();
    isSaving = true;
    isTyped = false;
    const body = new FormData(form);
    body.delete("files"); // what was chosen goes with the next press of a button
    body.set("act", "keep");
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
      const saved = new URL(answer.url).searchParams.get("draft");
      if (!answer.ok || !saved) throw new Error(String(answer.status));
      form.elements.saved.value = saved;
      // From now on its files stand in the draft.
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      form.elements.kept.value = page.querySelector("form[data-write]").elements.kept.value;
      state.textContent = form.dataset.saved;
    } catch {
      state.textContent = form.dataset.unsaved;
      later();
    } finally {
      isSaving = false;
    }
  };
  form.addEventListener("input", (event) => {
    if (event.target.type !== "file") later();
  });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (isLeaving) return event.preventDefault(); // pressed twice
    if (isSaving) {
      // What is on its way must be there first: its number goes with the form.
      event.preventDefault();
      const { submitter } = event;
      setTimeout(() => form.requestSubmit(submitter), 200);
      return;
    }
    isLeaving = true;
  });
  // Who goes elsewhere within those seconds loses nothing.
  addEventListener("pagehide", () => {
    if (isLeaving || isSaving || !isTyped) return;
    const body = new FormData(form);
    body.delete("files");
    body.set("act", "keep");
    fetch(form.action, { method: "POST", body, credentials: "same-origin", keepalive: true }).catch(() => {});
  });
  addEventListener("pageshow", () => (isLeaving = false));
  addEventListener("beforeunload", (event) => {
    if (timer && state.textContent === form.dataset.unsaved && !isLeaving) event.preventDefault();
  });
}

// Behind the last comma stands what is being typed.
function completing(field) {
  if (!field) return;
  const list = document.createElement("datalist");
  list.id = `${field.name}-known`;
  field.after(list);
  field.setAttribute("list", list.id);
  let timer = null;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const [, before, typed] = field.value.match(/^(.*[,;]\s*)?(.*)$/s);
      if (typed.length < 2) return list.replaceChildren();
      const answer = await fetch(`/mail/addresses?q=${encodeURIComponent(typed)}`, { credentials: "same-origin" }).catch(() => null);
      if (!answer?.ok) return;
      const options = (await answer.json()).map((address) => {
        const option = document.createElement("option");
        option.value = `${before ?? ""}${address}`;
        return option;
      });
      list.replaceChildren(...options);
    }, COMPLETE_AFTER_MS);
  });
}
