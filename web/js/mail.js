// The webmail, made quick: messages open in place, the list goes on as it is scrolled, keys act, new mail shows itself. What fails is
// done by the browser, as without scripts.
import { acts } from "./mail-acts.js";
import { keys } from "./mail-keys.js";
import { lines } from "./mail-lines.js";
import { live } from "./mail-live.js";
import { notifying } from "./mail-notify.js";
import { reading } from "./mail-reading.js";
import { searching } from "./mail-search.js";
import { swiping } from "./mail-swipe.js";
import { writing } from "./mail-write.js";

for (const begin of [reading, lines, acts, keys, swiping, searching, writing, notifying, live]) begin();
