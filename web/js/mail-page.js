// Pages of the webmail, fetched and put in place piece by piece.
const PIECES = ["[data-folders]", "[data-title]", "[data-reading]"];

// The page at `href`; none where that is another page, or the connection is lost.
export async function page(href, how = {}) {
  try {
    const answer = await fetch(href, { credentials: "same-origin", ...how });
    const isOurs = answer.ok && new URL(answer.url).pathname.startsWith("/mail");
    return isOurs ? { url: answer.url, document: new DOMParser().parseFromString(await answer.text(), "text/html") } : null;
  } catch {
    return null;
  }
}

// Mailboxes with their counts, in rail and drawer, and the inbox's in the title.
export function counts(fetched) {
  const unread = fetched.title.match(/^\([^)]*\) /)?.[0] ?? "";
  document.title = unread + document.title.replace(/^\([^)]*\) /, "");
  const fresh = fetched.querySelectorAll("[data-folders]");
  document.querySelectorAll("[data-folders]").forEach((old, at) => fresh[at] && old.replaceWith(document.importNode(fresh[at], true)));
}

// Puts `pieces` of a fetched page where the same pieces are.
export function place(fetched, pieces = PIECES) {
  for (const piece of pieces) {
    const [old, fresh] = [document.querySelectorAll(piece), fetched.querySelectorAll(piece)];
    old.forEach((one, at) => {
      if (fresh[at]) one.replaceWith(document.importNode(fresh[at], true));
    });
  }
  document.body.classList.toggle("has-message", fetched.body.classList.contains("has-message"));
  document.title = fetched.title;
  document.dispatchEvent(new Event("placed"));
}

// What came of an act stands on top, and can be taken back there.
export function tell(fetched) {
  document.querySelector("main > [data-flash]")?.remove();
  const said = fetched.querySelector("main > [data-flash]");
  if (said) document.querySelector("main").prepend(document.importNode(said, true));
}

// The link to INBOX, the first of the mailboxes.
export function inbox() {
  return document.querySelector("[data-folders] a[data-folder]");
}

export function isTyping(event) {
  return Boolean(event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog[open]"));
}
