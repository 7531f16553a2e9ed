// Menus and the drawer close on Escape, on a click elsewhere, and once something in them was done.
const OPEN = "details.menu[open], details.drawer[open]";

export function menu() {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of document.querySelectorAll(OPEN)) close(open);
  });
  document.addEventListener("submit", (event) => {
    const open = event.submitter?.closest(OPEN);
    // What is sent is gathered from the fields first.
    if (open) setTimeout(() => close(open));
  });
  document.addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(OPEN)) {
      if (!open.contains(event.target)) open.open = false;
    }
  });
}

// The keyboard that was in it stays with it.
function close(open) {
  if (open.contains(document.activeElement)) open.querySelector("summary").focus();
  open.open = false;
}
