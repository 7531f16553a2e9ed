// The theme changes at once; the choice is kept by the form's own post, in the background. Language needs a new page.
import { toast } from "./toast.js";

export function look(piece) {
  for (const form of piece.querySelectorAll("form[data-look]")) {
    form.addEventListener("submit", (event) => {
      const chosen = event.submitter;
      if (chosen?.name !== "theme") return;
      event.preventDefault();
      apply(chosen.value);
      const body = new URLSearchParams(new FormData(form, chosen));
      fetch(form.action, { method: "POST", body, credentials: "same-origin", redirect: "manual" }).catch(() => {
        toast(document.body.dataset.failed);
      });
    });
  }
}

function apply(theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const button of document.querySelectorAll("form[data-look] button[name=theme]")) {
    button.setAttribute("aria-pressed", String(button.value === theme));
  }
}
