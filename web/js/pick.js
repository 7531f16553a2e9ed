// One box that chooses every row, and the count of the chosen. The rows' boxes name their form by its id.
export function pick(piece) {
  for (const all of piece.querySelectorAll("[data-pick-all]")) {
    const form = all.closest("form");
    const box = all.querySelector("input");
    const count = all.querySelector("[data-picked]");
    const rows = () => [...form.elements].filter((field) => field.matches("[data-pick]"));
    const tell = () => {
      const chosen = rows().filter((row) => row.checked).length;
      box.checked = chosen > 0 && chosen === rows().length;
      box.indeterminate = chosen > 0 && !box.checked;
      count.textContent = chosen > 0 ? `(${chosen})` : "";
    };
    box.addEventListener("change", () => {
      for (const row of rows()) row.checked = box.checked;
      tell();
    });
    document.addEventListener("change", (event) => {
      if (event.target.matches("[data-pick]")) tell();
    });
    // Other rows may stand there now.
    document.addEventListener("placed", tell);
    all.hidden = false;
    tell();
  }
}
