// Text with formatting: Squire edits it, DOMPurify lets in only what it can edit. What the message quotes never comes in here: it stands in
// a frame of its own, and the house puts it below.
import Squire from "./squire.mjs";
import "./purify.min.js";
import { isPicture, pasted } from "./mail-write.js";

const ALLOWED = {
  ALLOWED_TAGS: ["a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol", "p", "pre", "s", "strong", "sub", "sup", "u", "ul"],
  ALLOWED_ATTR: ["href", "src", "alt", "width", "height", "dir", "data-signature"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:|tel:|data:image\/(?:png|jpeg|gif|webp);base64,)/i,
  RETURN_DOM_FRAGMENT: true,
};
// A picture from a camera is made smaller: it stands in the text, and is saved with it.
const MAX_SIDE = 1600;
const MAX_PICTURE_OCTETS = 1_000_000;
const FORMATS = {
  bold: { tag: "B", set: "bold", unset: "removeBold" },
  italic: { tag: "I", set: "italic", unset: "removeItalic" },
  underline: { tag: "U", set: "underline", unset: "removeUnderline" },
  bullets: { tag: "UL", set: "makeUnorderedList", unset: "removeList" },
  numbers: { tag: "OL", set: "makeOrderedList", unset: "removeList" },
  quote: { tag: "BLOCKQUOTE", set: "increaseQuoteLevel", unset: "decreaseQuoteLevel" },
};

export function editing(form, draft) {
  const box = form.querySelector("[data-editor]");
  const place = form.querySelector("[data-editor-text]");
  const quote = form.querySelector("[data-quote]");
  const { text, html, format, chosen, quote_text: quoted } = form.elements;
  const editor = new Squire(place, { sanitizeToDOMFragment: clean, addLinks: true, classNames: {} });

  const put = (value) => editor.setHTML(value || "<div><br></div>");
  const show = (isRich) => {
    format.value = isRich ? "rich" : "plain";
    box.hidden = !isRich;
    text.hidden = isRich;
    if (quote) quote.hidden = !isRich;
    form.querySelector("[data-as=plain]").hidden = !isRich;
    form.querySelector("[data-as=rich]").hidden = isRich;
    form.querySelector("#text-label").htmlFor = isRich ? "editor" : "text";
    const frame = quote?.querySelector("iframe");
    if (isRich && frame && !frame.src) frame.src = frame.dataset.src;
  };
  const as = (isRich) => {
    if (isRich) {
      const below = quoted.value.trim();
      const whole = text.value.trimEnd();
      const isWhole = below !== "" && whole.endsWith(below);
      if (quote) form.elements.quoted.checked = isWhole;
      put(lines(isWhole ? whole.slice(0, -below.length) : whole));
      html.value = editor.getHTML();
    } else {
      const own = plain(place);
      text.value = quote && form.elements.quoted.checked ? `${own.trimEnd()}\n\n${quoted.value.trimStart()}` : own;
    }
    show(isRich);
    chosen.value = format.value;
    draft.later();
  };

  put(html.value);
  html.value = editor.getHTML();
  show(html.dataset.rich === "true");
  if (html.dataset.rich === "true" && document.activeElement === text) {
    editor.focus();
    editor.moveCursorToStart();
  }
  editor.addEventListener("input", () => {
    // What the editor itself puts right, nobody has written.
    if (html.value === editor.getHTML()) return;
    html.value = editor.getHTML();
    draft.later();
  });
  editor.addEventListener("pathChange", () => pressed(editor, box));
  editor.addEventListener("select", () => pressed(editor, box));
  form.querySelector("[data-as=plain]").addEventListener("click", () => as(false));
  form.querySelector("[data-as=rich]").addEventListener("click", () => as(true));
  form.addEventListener("draft-taken", (event) => {
    put(html.value);
    show(event.detail === "rich");
  });
  form.elements.from.addEventListener("change", () => sign(form, editor, place));
  form.elements.from.dataset.signed = signature(form);
  tools(editor, box);
  pictures(editor, place);
}

function clean(dirty) {
  const left = globalThis.DOMPurify.sanitize(dirty, ALLOWED);
  // Pictures elsewhere don't go along, nor are they asked for here.
  for (const picture of left.querySelectorAll("img:not([src^='data:image/'])")) picture.remove();
  return document.importNode(left, true);
}

function tools(editor, box) {
  const link = box.querySelector("[data-link]");
  const address = link.querySelector("input");
  const set = () => {
    link.hidden = true;
    const value = address.value.trim();
    if (value === "") return editor.focus();
    const isWhole = /^(https?:|mailto:|tel:)/i.test(value);
    editor.focus();
    editor.makeLink(isWhole ? value : value.includes("@") ? `mailto:${value}` : `https://${value}`);
  };
  box.addEventListener("mousedown", (event) => {
    if (event.target.closest("button")) event.preventDefault(); // what is selected stays so
  });
  box.addEventListener("click", (event) => {
    const name = event.target.closest("[data-format]")?.dataset.format;
    if (name === "link") {
      if (editor.hasFormat("A")) return editor.removeLink();
      address.value = "";
      link.hidden = !link.hidden;
      if (!link.hidden) address.focus();
    } else if (name === "clear") {
      editor.removeAllFormatting();
    } else if (name) {
      const { tag, set: on, unset } = FORMATS[name];
      editor.hasFormat(tag) ? editor[unset]() : editor[on]();
    }
    if (name) pressed(editor, box);
  });
  link.querySelector("[data-link-set]").addEventListener("click", set);
  address.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    set();
  });
}

function pressed(editor, box) {
  for (const [name, { tag }] of Object.entries({ ...FORMATS, link: { tag: "A" } })) {
    box.querySelector(`[data-format=${name}]`).setAttribute("aria-pressed", String(editor.hasFormat(tag)));
  }
}

// Pictures that are pasted or dropped into the text stand in it; other files are attached by the form.
function pictures(editor, place) {
  const take = (event, files) => {
    if (files.length === 0 || !files.every(isPicture)) return;
    event.preventDefault();
    event.stopPropagation();
    for (const file of files) smaller(file).then((address) => address && editor.insertImage(address, { alt: file.name }));
  };
  place.addEventListener("drop", (event) => take(event, [...(event.dataTransfer?.files ?? [])]), true);
  place.addEventListener("paste", (event) => take(event, pasted(event)), true);
}

async function smaller(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  const part = Math.min(1, MAX_SIDE / Math.max(picture.width, picture.height));
  if (part === 1 && file.size <= MAX_PICTURE_OCTETS) return address(file);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(picture.width * part), Math.round(picture.height * part)];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

function address(file) {
  return new Promise((resolve) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => resolve(null));
    reader.readAsDataURL(file);
  });
}

// Another sender signs otherwise: what the last one signed is changed where it stands as it was.
function sign(form, editor, place) {
  const [was, is] = [form.elements.from.dataset.signed, signature(form)];
  form.elements.from.dataset.signed = is;
  const { text, html, format } = form.elements;
  if (format.value === "plain") {
    if (was !== "" && text.value.includes(was)) text.value = text.value.replace(was, () => is);
    else if (is !== "" && was === "") text.value = `${text.value.trimEnd()}\n\n-- \n${is}`;
    return;
  }
  const old = place.querySelector("[data-signature]");
  if (old) old.innerHTML = escaped(is).join("<br>") || "<br>";
  else if (is !== "") editor.setHTML(`${editor.getHTML()}<div data-signature="">${escaped(is).join("<br>")}</div>`);
  html.value = editor.getHTML();
}

function signature(form) {
  return form.elements.from.selectedOptions[0]?.dataset.signature ?? "";
}

function escaped(text) {
  const holder = document.createElement("i");
  return text.split("\n").map((line) => {
    holder.textContent = line;
    return holder.innerHTML;
  });
}

function lines(text) {
  return escaped(text).map((line) => `<div>${line || "<br>"}</div>`).join("");
}

// As it is seen, line by line.
function plain(place) {
  return place.innerText.replaceAll("\u00a0", " ").replace(/\n{3,}/g, "\n\n").trimEnd();
}
