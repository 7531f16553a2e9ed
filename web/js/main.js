// Makes pages nicer that work without it. Each module takes what it finds in a piece of the page and may be asked again.
import { copy } from "./copy.js";
import { dialog } from "./dialog.js";
import { flash } from "./toast.js";
import { guard } from "./guard.js";
import { look } from "./look.js";
import { menu } from "./menu.js";
import { passkey } from "./passkey.js";
import { pick } from "./pick.js";
import { search } from "./search.js";
import { times } from "./times.js";

const whole = [menu, search, times, guard, dialog]; // hear the whole document, once
const pieces = [copy, pick, flash, look, passkey]; // once a piece

for (const begin of whole) begin();
for (const dress of pieces) dress(document);

// What htmx has put in is dressed, too.
document.addEventListener("htmx:load", (event) => {
  for (const dress of pieces) dress(event.detail.elt);
});
