// A link to a page that asks before an act shows that page's question in place. Whatever goes wrong, the link is followed.
export function dialog() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    const question = await ask(link.href);
    if (question) show(question);
    else location.assign(link.href);
  });
}

async function ask(href) {
  try {
    const answer = await fetch(href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return null;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return page.querySelector("[data-dialog-body]");
  } catch {
    return null;
  }
}

function show(question) {
  const box = document.createElement("dialog");
  box.setAttribute("aria-labelledby", "question");
  box.append(document.importNode(question, true));
  box.addEventListener("click", (event) => {
    if (event.target === box || event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      box.close();
    }
  });
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
  // The safe answer has the focus, so that Enter alone destroys nothing; a field comes before it.
  const first = box.querySelector("input:not([type=hidden]), select, textarea") ?? box.querySelector("[data-dialog-close]");
  first?.focus();
}
