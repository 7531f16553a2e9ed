// Copy buttons: hidden in the page as it comes, for they need this.
import { toast } from "./toast.js";

const DONE_MS = 1600;

export function copy(piece) {
  if (!navigator.clipboard) return;
  for (const box of piece.querySelectorAll("[data-copy]")) {
    const button = box.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(box.querySelector("code").textContent);
      toast(document.body.dataset.copied);
      box.classList.add("is-done");
      setTimeout(() => box.classList.remove("is-done"), DONE_MS);
    });
  }
}
