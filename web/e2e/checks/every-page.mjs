// What must hold of every page, whatever it is about.
//
// Four looks at each: wide and light in English, narrow and dark, without scripts, and in French. Each look has one window, which
// goes from page to page.
import { AxeBuilder } from "@axe-core/playwright";
import { check, expect, inTab } from "../kit.mjs";
import { PAGES, pathOf, viewer } from "../pages.mjs";
import { leftovers } from "../words.mjs";

const OCTETS = 100 * 1024; // a page with its style sheet and scripts, as they come over the wire
const TABS = 20; // presses of Tab within the page's own part, at most

export async function run(house, browser) {
  const paths = new Map();
  for (const role of [undefined, "user", "owner"]) {
    const pages = PAGES.filter((page) => viewer(page) === role);
    const look = (how, act) => inTab(browser, { role, ...how }, act);

    await look({}, async (tab) => {
      for (const page of pages) paths.set(page, await pathOf(page, house, tab).catch(() => null));
    });
    await look({}, async (tab) => {
      const complaints = await listen(tab);
      const weight = await weigh(tab);
      for (const page of pages) {
        await check(`${page.name}: it is there, with a title, and nothing is refused`, () => stands(tab, paths.get(page), page, complaints));
        await check(`${page.name}: it is small`, () => {
          const octets = weight();
          expect(octets > 0 && octets < OCTETS, `${Math.round(octets / 1024)} kB`);
        });
        await check(`${page.name}: axe finds nothing`, () => axe(tab));
        await check(`${page.name}: where the keyboard is can be seen`, () => focus(tab));
      }
    });
    await look({ width: 390, theme: "dark" }, async (tab) => {
      for (const page of pages) {
        await check(`${page.name}: a phone shows its whole width, and its colours can be told apart in the dark`, async () => {
          await tab.goto(paths.get(page));
          await fits(tab);
          await axe(tab, ["color-contrast"]);
        });
      }
    });
    await look({ js: false }, async (tab) => {
      for (const page of pages) {
        await check(`${page.name}: it works without scripts`, () => withoutScripts(tab, paths.get(page), page));
      }
    });
    await look({ language: "fr" }, async (tab) => {
      for (const page of pages) await check(`${page.name}: French is French`, () => french(tab, paths.get(page)));
    });
  }
}

// What the browser complains of.
async function listen(tab) {
  const complaints = [];
  tab.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("requestfailed", (request) => {
    // Who leaves a page hears no more of its events.
    if (request.resourceType() !== "eventsource") complaints.push(`${request.url()} failed`);
  });
  await tab.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  return complaints;
}

async function stands(tab, path, page, complaints) {
  expect(path, "no other page leads to one");
  complaints.length = 0;
  const answer = await tab.goto(path);
  expect(answer.status() === (page.status ?? 200), `status ${answer.status()}`);
  expect(new URL(tab.url()).pathname === path.split("?")[0], `it led to ${tab.url()}`);
  expect((await tab.title()).trim().length > "· Relais".length, "no title");
  expect((await tab.locator("h1").count()) === 1, "not one h1");
  // Chromium says of a page that is meant to be an error that it is one.
  const others = complaints.filter((one) => !(page.status && one.includes(`status of ${page.status}`)));
  expect(others.length === 0, others.join("; "));
}

export async function axe(tab, rules) {
  // What stands in frames is strangers', and axe would open another window for it.
  const builder = new AxeBuilder({ page: tab }).setLegacyMode(true).options({ resultTypes: ["violations"], preload: false });
  if (rules) builder.withRules(rules);
  const { violations } = await builder.analyze();
  const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  expect(grave.length === 0, grave.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" ")}`).join("; "));
}

export async function fits(tab) {
  const wide = await tab.evaluate(() => {
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const culprits = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return over > 0 ? `${over} px too wide: ${culprits.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" ")}` : "";
  });
  expect(wide === "", wide);
}

// Counts what comes over the wire for a page itself, packed as it is, to a browser that has never been here; each call begins anew.
async function weigh(tab) {
  const wire = await tab.context().newCDPSession(tab);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  const kinds = new Map();
  let octets = 0;
  wire.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Stylesheet", "Script"].includes(kinds.get(requestId))) octets += encodedDataLength;
  });
  return () => {
    const counted = octets;
    octets = 0;
    return counted;
  };
}

async function withoutScripts(tab, path, page) {
  const answer = await tab.goto(path);
  expect(answer.status() === (page.status ?? 200), `status ${answer.status()}`);
  const heading = await tab.locator("h1").innerText();
  expect(heading.trim() !== "", "an empty heading");
  // What only a script could make work must not be seen.
  const dead = tab.locator("main button[type=button]:visible, main a[href='#']:visible, main a:not([href]):visible");
  expect((await dead.count()) === 0, `dead without scripts: ${await dead.first().evaluate((one) => one.outerHTML.slice(0, 160)).catch(() => "")}`);
  const hidden = tab.locator("main form:not([data-passkey]):not([method=post]):not([method=get]):not([role=search])");
  expect((await hidden.count()) === 0, "a form without a method");
}

async function focus(tab) {
  let reached = 0;
  // From the start of the page's own part on: what stands around it is the same everywhere.
  await tab.locator("main").evaluate((main) => {
    main.tabIndex = -1;
    main.focus();
  });
  for (let press = 0; press < TABS; press += 1) {
    await tab.keyboard.press("Tab");
    const at = await tab.evaluate(() => {
      const one = document.activeElement;
      if (!one || one === document.body) return null;
      if (one.dataset.reached) return null; // once around
      one.dataset.reached = "yes";
      const drawn = (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
      const box = one.getBoundingClientRect();
      return {
        html: one.outerHTML.slice(0, 160),
        isSeen: box.width > 0 && box.height > 0 && (drawn(getComputedStyle(one)) || drawn(getComputedStyle(one, "::after"))),
      };
    });
    if (!at) break;
    reached += 1;
    expect(at.isSeen, `no focus to be seen on ${at.html}`);
  }
  expect(reached > 0, "nothing can be reached");
}

// `tab` is on a page of the same window already: the text is all that is wanted.
async function french(tab, path) {
  if (tab.url() === "about:blank") await tab.goto(path);
  const { language, text } = await tab.evaluate(async (path) => {
    const answer = await fetch(path);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const said = ["title", "placeholder", "aria-label", "alt", "data-label"];
    const named = [...page.querySelectorAll("*")].flatMap((one) => said.map((name) => one.getAttribute(name) ?? ""));
    return { language: page.documentElement.lang, text: [page.title, page.body.textContent, ...named].join("\n") };
  }, path);
  expect(language === "fr", `its language is ${language}`);
  const left = leftovers(text);
  expect(left.length === 0, `English: ${left.slice(0, 5).join(" | ")}`);
}
