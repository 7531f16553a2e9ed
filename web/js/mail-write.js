// What is written saves itself, one save after the other, so that a draft is never there twice; what can't be saved stays in the browser
// until it can. Files come by dropping and pasting, with their progress. Addresses complete themselves.
const SAVE_AFTER_MS = 4_000;
const COMPLETE_AFTER_MS = 150;
const AT_ONCE_OCTETS = 15_000_000;
const LEFT = "relais-unsaved";
const TYPED = ["from", "to", "cc", "bcc", "subject", "text", "html", "format"];

export async function writing() {
  const form = document.querySelector("form[data-write]");
  if (!form) return;
  const draft = saving(form);
  for (const name of ["to", "cc", "bcc"]) completing(form.elements[name]);
  attaching(form, draft);
  local(form.elements.due, form.elements.zone);
  left(form, draft);
  // Only who writes needs the editor; without it the text stays plain.
  const { editing } = await import("./mail-editor.js").catch(() => ({}));
  editing?.(form, draft);
}

function saving(form) {
  let timer = null;
  let isSaving = false;
  let isLeaving = false;
  let isTyped = false; // and not yet saved
  let attaching = 0; // loads of files that are on their way, or wait
  let pressed = null; // what waits until all is safe: the event of the button
  let isSafe = false; // while that goes on
  const state = form.querySelector("[data-state]");
  const later = () => {
    clearTimeout(timer);
    isTyped = true;
    if (!isLeaving) timer = setTimeout(save, SAVE_AFTER_MS);
  };
  // Who writes on after a press that could not be done presses again.
  const typed = () => {
    if (!isSaving && attaching === 0) pressed = null;
    later();
  };
  const body = (act) => {
    const data = new FormData(form);
    data.delete("files"); // what was chosen goes with the next press of a button
    data.set("act", act);
    return data;
  };
  // From now on its files stand in the draft.
  const saved = (answer, text) => {
    const number = new URL(answer).searchParams.get("draft");
    if (!number) throw new Error("not saved");
    const page = new DOMParser().parseFromString(text, "text/html");
    form.elements.saved.value = number;
    form.elements.kept.value = page.querySelector("form[data-write]").elements.kept.value;
    form.elements.chosen.value = "";
    form.querySelector("[data-files]").replaceWith(document.importNode(page.querySelector("[data-files]"), true));
    forget(form);
  };
  const save = async () => {
    if (isSaving || isLeaving) return later();
    clearTimeout(timer);
    isSaving = true;
    isTyped = false;
    let goesOn = false;
    try {
      const answer = await fetch(form.action, { method: "POST", body: body("keep"), credentials: "same-origin" });
      const text = await answer.text();
      // What is wrong with it the house says itself, to what was pressed, with all that was typed.
      goesOn = answer.status === 422 && text.includes(" data-write ");
      if (!answer.ok) throw new Error(String(answer.status));
      saved(answer.url, text);
      state.textContent = form.dataset.saved;
      goesOn = true;
    } catch {
      state.textContent = form.dataset.unsaved;
      remember(form);
      goesOn ||= goesAsItIs(pressed?.submitter);
      if (isTyped && !goesOn) pressed = null; // written on meanwhile
      later();
    } finally {
      isSaving = false;
    }
    if (goesOn) goOn();
  };
  // What was pressed meanwhile is done, once; where nothing can be saved, it waits until something can.
  const goOn = () => {
    if (!pressed || isSaving || attaching > 0) return;
    const { submitter } = pressed;
    pressed = null;
    if (submitter && submitter.form !== form) return; // a button beside a file is another after saving
    isSafe = true;
    form.requestSubmit(submitter);
    isSafe = false;
  };
  form.addEventListener("input", (event) => {
    if (event.target.type !== "file") typed();
  });
  form.addEventListener("submit", (event) => {
    if (isLeaving) return event.preventDefault(); // pressed twice
    // What is on its way must be there first: its number goes with the form.
    const isBusy = isSaving || attaching > 0;
    // A form that is sent into a lost connection leaves the page, and what was typed with it: it is made safe first. What could be saved is
    // safe, whatever the browser thinks of its connection.
    const isAtRisk = !isSafe && !goesAsItIs(event.submitter) && (isTyped || !navigator.onLine);
    if (isBusy || isAtRisk) {
      event.preventDefault();
      pressed = event;
      if (!isBusy) save();
      return;
    }
    clearTimeout(timer);
    isLeaving = true;
    forget(form);
  });
  // Who goes elsewhere within those seconds loses nothing.
  addEventListener("pagehide", () => {
    if (isLeaving || isSaving || !isTyped) return;
    fetch(form.action, { method: "POST", body: body("keep"), credentials: "same-origin", keepalive: true }).catch(() => {});
  });
  addEventListener("pageshow", () => (isLeaving = false));
  addEventListener("beforeunload", (event) => {
    if (timer && state.textContent === form.dataset.unsaved && !isLeaving) event.preventDefault();
  });
  return {
    later: typed,
    // Sends files now, one load after the other.
    async attach(files, progress) {
      attaching += 1;
      while (isSaving) await new Promise((resolve) => setTimeout(resolve, 100));
      clearTimeout(timer);
      isSaving = true;
      const wasTyped = isTyped;
      isTyped = false;
      const data = body("attach");
      for (const file of files) data.append("files", file, file.name);
      try {
        const request = await load(form.action, data, progress);
        saved(request.responseURL, request.responseText);
      } catch (error) {
        pressed = null; // it would go without the file
        if (wasTyped) later();
        throw error;
      } finally {
        isSaving = false;
        attaching -= 1;
      }
      goOn();
    },
  };
}

// What is thrown away needs no safety, and a button beside a file is another after saving.
function goesAsItIs(button) {
  return button?.value === "discard" || Boolean(button?.closest("[data-files]"));
}

function load(action, data, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", action);
    request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
    request.addEventListener("load", () => (request.status === 200 ? resolve(request) : reject(new Error(String(request.status)))));
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(new Error(end)));
    request.send(data);
  });
}

function attaching(form, draft) {
  const state = form.querySelector("[data-state]");
  const bar = form.querySelector("[data-attaching-bar]");
  const field = form.elements.files;
  const attach = async (files) => {
    const kept = JSON.parse(form.elements.kept.value || "[]");
    const octets = (list) => list.reduce((sum, file) => sum + (file.size ?? file.octets), 0);
    if (octets(files) > AT_ONCE_OCTETS || octets(files) + octets(kept) > Number(form.dataset.most)) {
      state.textContent = form.dataset.tooLarge;
      return;
    }
    bar.hidden = false;
    state.textContent = form.dataset.attaching;
    try {
      await draft.attach(files, (part) => (bar.value = part));
      state.textContent = form.dataset.saved;
    } catch {
      state.textContent = form.dataset.notAttached;
    } finally {
      bar.hidden = true;
      bar.value = 0;
    }
  };
  field.addEventListener("change", () => {
    const files = [...field.files];
    field.value = "";
    if (files.length > 0) attach(files);
  });
  form.addEventListener("dragover", (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
  });
  form.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0 || event.defaultPrevented) return;
    event.preventDefault();
    attach(files);
  });
  // Ahead of the editor, which takes what is pasted as text.
  form.addEventListener("paste", (event) => {
    const files = pasted(event);
    const isEditors = event.target.closest("[data-editor-text]") && files.every(isPicture);
    if (files.length === 0 || isEditors) return;
    event.preventDefault();
    event.stopPropagation();
    attach(files);
  }, true);
}

// The files that a paste brings. Programs that copy text put a picture of it beside it: that is text.
export function pasted({ clipboardData }) {
  const isText = ["text/html", "text/plain"].every((type) => clipboardData?.types.includes(type));
  return isText ? [] : [...(clipboardData?.files ?? [])];
}

// Of a kind that may stand in text with formatting.
export function isPicture(file) {
  return /^image\/(png|jpeg|gif|webp)$/.test(file.type);
}

// A time is of where the writer is.
function local(due, zone) {
  document.querySelector("#due-help").hidden = true;
  const say = () => (zone.value = String(new Date(due.value || Date.now()).getTimezoneOffset()));
  due.addEventListener("input", say);
  say();
}

// What could not be saved stays in this browser, and is offered when writing goes on.
function remember(form) {
  const typed = Object.fromEntries(TYPED.map((name) => [name, form.elements[name].value]));
  try {
    localStorage.setItem(LEFT, JSON.stringify({ id: form.elements.id.value, typed }));
  } catch {
    // There is no room, or none is given: the page itself still has it.
  }
}

function forget(form) {
  try {
    if (JSON.parse(localStorage.getItem(LEFT) ?? "{}").id === form.elements.id.value) localStorage.removeItem(LEFT);
  } catch {
    localStorage.removeItem(LEFT);
  }
}

function left(form, draft) {
  const notice = document.querySelector("[data-left]");
  let kept = null;
  try {
    kept = JSON.parse(localStorage.getItem(LEFT));
  } catch {
    kept = null;
  }
  if (!notice || !kept?.typed) return;
  notice.hidden = false;
  notice.querySelector("[data-left-take]").addEventListener("click", () => {
    for (const name of TYPED) {
      if (name !== "format" && typeof kept.typed[name] === "string") form.elements[name].value = kept.typed[name];
    }
    form.dispatchEvent(new CustomEvent("draft-taken", { detail: kept.typed.format }));
    notice.hidden = true;
    localStorage.removeItem(LEFT);
    draft.later();
  });
  notice.querySelector("[data-left-drop]").addEventListener("click", () => {
    notice.hidden = true;
    localStorage.removeItem(LEFT);
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
