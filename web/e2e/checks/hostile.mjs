// Messages that were made to bite, each opened in a real browser: DOMPurify's payloads ($RELAIS_SUITES) and our own
// (backend/reading/tests/it/hostile.txt). No script runs, no request leaves, nothing covers the page, and no policy is broken.
//
// Decision 40 wants two walls, each as if the other weren't there. So each message is looked at three times: as the house shows it; what
// the sanitiser left, on a page without any policy; and what it was, in the frame and under the policy alone. A fourth time it is shown
// as it was where nothing protects: there it must bite, or these checks see nothing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { check, comeIn, expect, inTab, newcomer, skip } from "../kit.mjs";
import { lookout } from "../lookout.mjs";
import { byImap, encoded, suite } from "../post.mjs";

const OWN = new URL("../../../backend/reading/tests/it/hostile.txt", import.meta.url);
// A page of nobody's: no policy, and scripts run.
const NAKED = "http://naked.test/";
const MAY_STAND = /^(https?:|mailto:|tel:|data:image\/(png|gif|jpe?g|webp);base64,)/i;
const POLICY = /Content Security Policy|Refused to/;
// How many of them, in a page that protects nobody, run something or ask somebody; and what the frame's policy forbids them at least. Fewer:
// the checks have gone blind. Most of DOMPurify's bit browsers that are gone.
const BITE = { own: 30, DOMPurify: 25 };
const FORBIDDEN = { own: 19, DOMPurify: 19 };

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "ibis");
  const out = await lookout();
  try {
    for (const [whose, vectors] of [["own", own()], ["DOMPurify", await theirs()]]) {
      if (!vectors) {
        skip(`hostile: ${whose}`, "no suites: set RELAIS_SUITES");
        continue;
      }
      const mailbox = `Hostile-${whose}`;
      const uids = await byImap(house, reader, async (mail) => {
        await mail.say(`CREATE "${mailbox}"`);
        return mail.append(mailbox, vectors.map((vector, at) => message(`${whose} ${at}`, vector)));
      });
      const title = `hostile: ${vectors.length} of ${whose}`;
      await check(`${title} are all there`, () => expect(uids.every(Boolean), `${uids.filter((uid) => !uid).length} are not`));
      await inTab(browser, { proxy: out.address, asks: true }, async (tab, context) => {
        await comeIn(tab, reader);
        await look(house, tab, context, out, { title, whose, mailbox, vectors, uids });
      });
    }
  } finally {
    out.close();
  }
}

// One a line; \n and \0 stand for themselves.
function own() {
  const lines = readFileSync(OWN, "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.replaceAll("\\n", "\n").replaceAll("\\0", "\0"));
}

async function theirs() {
  const folder = suite("sanitiser");
  if (!folder) return null;
  const { default: cases } = await import(pathToFileURL(join(folder, "dompurify-expect.mjs")));
  return cases.map(({ payload }) => payload);
}

// It stands wherever a stranger has the word: as the text, as subject, as names of author, list and file, behind the list's link.
function message(name, vector) {
  const words = encoded(vector.replace(/\s+/g, " ").slice(0, 400));
  const base64 = (text) => Buffer.from(text).toString("base64").replace(/.{76}/g, "$&\r\n");
  return Buffer.from(
    `From: ${words} <vector@x.example>\r\nSubject: ${encoded(name)} ${words}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n` +
      `List-Id: ${words} <list.x.example>\r\nList-Unsubscribe: <javascript:alert(1)>, <https://x.example/off?a="><script>alert(1)</script>>\r\n` +
      "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
      `--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(vector)}\r\n` +
      `--b\r\nContent-Type: text/html; name="${words}"\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
      `${base64(vector)}\r\n--b--\r\n`,
  );
}

async function look(house, tab, context, out, { title, whose, mailbox, vectors, uids }) {
  const hear = await listen(tab, context, house, out);
  const id = await tab.locator("a[data-folder]", { hasText: mailbox }).first().getAttribute("data-folder");
  const way = (at) => `/mail/${id}/${uids[at]}`;
  // Shows each of them, and gives what was wrong with which: what `show` says, and what was heard of `kinds`.
  const each = async (kinds, show) => {
    const wrong = [];
    for (const at of vectors.keys()) {
      hear();
      const seen = (await show(at)) ?? [];
      const heard = hear();
      const found = [...seen, ...kinds.flatMap((kind) => heard[kind].map((what) => `${kind} ${what}`))];
      if (found.length > 0) wrong.push(`${at} ${vectors[at].slice(0, 60)}: ${[...new Set(found)].slice(0, 3).join(", ")}`);
    }
    return wrong;
  };
  const none = (wrong) => expect(wrong.length === 0, `${wrong.length} do: ${wrong.join(" | ")}`);

  await check(`${title}, as the house shows them: nothing runs, leaves, covers, or breaks a policy`, async () => {
    none(await each(["ran", "asked", "left", "policy"], async (at) => {
      await tab.goto(way(at));
      return place(tab, `${whose} ${at}`);
    }));
  });
  await check(`${title}, on paper and as source: the same`, async () => {
    none(await each(["ran", "asked", "left", "policy"], async (at) => {
      for (const page of ["print", "source"]) {
        const answer = await tab.goto(`${way(at)}/${page}`);
        if (answer.status() !== 200) return [`${page} answers ${answer.status()}`];
      }
    }));
  });

  let shown = "";
  await context.route(`${NAKED}**`, (route) => {
    const isPage = route.request().url() === NAKED;
    return route.fulfill(isPage ? { contentType: "text/html; charset=utf-8", body: shown } : { contentType: "image/gif", body: "" });
  });
  await check(`${title}, what the sanitiser left, under no policy: it has no teeth, read once or twice`, async () => {
    none(await each(["ran", "asked", "left"], async (at) => {
      shown = await (await context.request.get(`${way(at)}/frame?pictures=1`)).text();
      await tab.goto(NAKED);
      const once = await tab.evaluate(teeth, MAY_STAND.source);
      // Read again, as by an editor that quotes it.
      await tab.evaluate(() => {
        document.body.innerHTML = document.body.innerHTML;
      });
      return [...once, ...(await tab.evaluate(teeth, MAY_STAND.source))];
    }));
  });

  await check(`${title}, with all their teeth, in the frame: nothing runs, leaves, or covers`, async () => {
    await context.route("**/frame", async (route) => {
      const answer = await route.fetch();
      const at = uids.indexOf(Number(new URL(route.request().url()).pathname.split("/").at(-2)));
      await route.fulfill({ response: answer, body: (await answer.text()).replace(/<body[^>]*>[^]*/, () => `<body>${vectors[at]}`) });
    });
    let forbidden = 0;
    tab.on("console", (message) => (forbidden += POLICY.test(message.text()) ? 1 : 0));
    none(await each(["ran", "left"], async (at) => {
      await tab.goto(way(at));
      return place(tab, `${whose} ${at}`);
    }));
    expect(forbidden >= FORBIDDEN[whose], `the policy forbade ${forbidden} only: is it there?`);
    await context.unroute("**/frame");
  });

  await check(`${title}: where nothing protects, they bite`, async () => {
    const bit = await each(["ran", "asked", "left"], async (at) => {
      shown = `<!doctype html><body>${vectors[at]}`;
      await tab.goto(NAKED).catch(() => {}); // some lead elsewhere at once
    });
    expect(bit.length >= BITE[whose], `${bit.length} only`);
  });
}

// Hears what happens in this window; what is called gives what was heard since the last time:
// `ran`: a script did; `asked`: a page asked for something of others; `left`: the browser did; `policy`: one was broken.
async function listen(tab, context, house, out) {
  let heard;
  const begin = () => (heard = { ran: [], asked: [], left: [], policy: [] });
  begin();
  await context.addInitScript(() => {
    for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = () => console.log(`RAN ${name}`);
  });
  tab.on("dialog", (dialog) => {
    heard.ran.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  tab.on("console", (message) => {
    const text = message.text();
    if (text.startsWith("RAN")) heard.ran.push(text);
    if (POLICY.test(text)) heard.policy.push(text.slice(0, 200));
  });
  tab.on("pageerror", (error) => heard.ran.push(String(error)));
  context.on("page", (page) => {
    heard.ran.push(`a window: ${page.url()}`);
    page.close();
  });
  context.on("request", (request) => {
    const url = request.url();
    if (![`${house.panel}/`, NAKED, "data:", "blob:"].some((start) => url.startsWith(start))) heard.asked.push(url.slice(0, 120));
  });
  return () => {
    const all = { ...heard, left: out.asked() };
    begin();
    return all;
  };
}

// The page around it is as it was: its title and address, and the frame in its place, whose boxes stand in the flow.
async function place(tab, name) {
  const wrong = [];
  if (!(await tab.title()).startsWith(name)) wrong.push(`the title is ${await tab.title()}`);
  if (!new URL(tab.url()).pathname.startsWith("/mail/")) wrong.push(`it led to ${tab.url()}`);
  wrong.push(...(await tab.evaluate(() => {
    const [frame, ...more] = document.querySelectorAll("iframe");
    if (!frame || more.length > 0) return [`${more.length + 1} frames`];
    if (frame.contentDocument !== null) return ["the frame is of our own origin"];
    const [box, pane] = [frame.getBoundingClientRect(), frame.parentElement.getBoundingClientRect()];
    const isInside = box.left >= pane.left && box.right <= pane.right + 1 && box.top >= pane.top;
    // What is ours and stands outside of the pane is what is hit there.
    const covered = [...document.querySelectorAll(".rail a, .message-bar a, .line-link")].filter((one) => {
      const { x, y, width, height } = one.getBoundingClientRect();
      const hit = document.elementFromPoint(x + width / 2, y + height / 2);
      return one.checkVisibility() && width > 0 && y + height / 2 < innerHeight && hit?.closest("iframe");
    });
    return [...(isInside ? [] : ["the frame is out of its place"]), ...covered.map((one) => `it covers ${one.textContent.trim()}`)];
  })));
  return wrong;
}

// What could bite in the page that is open, whether it has or not.
function teeth(mayStand) {
  const found = [];
  const known = new RegExp(mayStand, "i");
  const placed = ["fixed", "absolute", "sticky", "relative"];
  const fetching = ["backgroundImage", "listStyleImage", "borderImageSource", "maskImage", "cursor", "filter", "clipPath", "shapeOutside", "content"];
  for (const one of document.body.querySelectorAll("*")) {
    const name = one.localName;
    if (one.namespaceURI !== "http://www.w3.org/1999/xhtml") found.push(`<${name}> of ${one.namespaceURI}`);
    if (/^(script|style|link|meta|base|iframe|frame|object|embed|form|input|button|textarea|select|video|audio|source|template|dialog|slot|map|area)$/.test(name)) {
      found.push(`<${name}>`);
    }
    for (const { name: attribute, value } of one.attributes) {
      if (/^on|^(id|name|ping|srcset|background|poster|formaction|action|srcdoc|popover|autofocus|contenteditable)$/.test(attribute)) found.push(`${attribute}=`);
      if (/^(href|src|xlink:href)$/.test(attribute) && !known.test(value) && !value.startsWith("/mail/picture?")) found.push(`${attribute}=${value}`);
    }
    const style = getComputedStyle(one);
    if (placed.includes(style.position)) found.push(`position: ${style.position}`);
    if (style.transform !== "none" || style.animationName !== "none" || style.zIndex !== "auto") found.push(`it moves: ${one.outerHTML.slice(0, 80)}`);
    for (const property of fetching) {
      if (style[property]?.includes("url(")) found.push(`${property}: ${style[property]}`);
    }
  }
  if (document.styleSheets.length > 1) found.push("a style sheet");
  if ([...document.body.attributes].some(({ name }) => name !== "dir")) found.push("attributes of the body");
  return found;
}
