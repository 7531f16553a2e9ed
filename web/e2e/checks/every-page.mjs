// What must hold of every page, whatever it is about.
import { AxeBuilder } from "@axe-core/playwright";
import { check, expect } from "../kit.mjs";
import { PAGES, ROLES, pathOf } from "../pages.mjs";
import { leftovers } from "../words.mjs";

const OCTETS = 100 * 1024; // a page with its style sheet and scripts, as they come over the wire
const TABS = 60; // presses of Tab, at most

export async function run(house, browser) {
  for (const page of PAGES) {
    const path = pathOf(page, house);
    const at = async (how, act) => {
      const context = await browser.visitor({ role: page.role, ...how });
      try {
        await act(await context.newPage());
      } finally {
        await context.close();
      }
    };
    await check(`${page.name}: it is there, with a title, and nothing is refused`, () => at({}, (tab) => stands(tab, path, page)));
    await check(`${page.name}: axe, light and wide`, () => at({}, (tab) => axe(tab, path)));
    await check(`${page.name}: axe, dark and narrow`, () => at({ width: 390, theme: "dark" }, (tab) => axe(tab, path)));
    await check(`${page.name}: a phone shows its whole width`, () => at({ width: 390 }, (tab) => fits(tab, path)));
    await check(`${page.name}: it is small`, () => at({}, (tab) => isSmall(tab, path)));
    await check(`${page.name}: it works without scripts`, () => at({ js: false }, (tab) => withoutScripts(tab, path, page)));
    await check(`${page.name}: where the keyboard is can be seen`, () => at({}, (tab) => focus(tab, path)));
    await check(`${page.name}: French is French`, () => at({ language: "fr" }, (tab) => french(tab, path)));
  }
  for (const role of ROLES) {
    await check(`${role}: each page of the navigation opens`, () => walk(browser, role));
  }
}

async function stands(tab, path, page) {
  const complaints = [];
  tab.on("console", (message) => {
    // Chromium says of a page that is meant to be an error that it is one.
    const isOwnStatus = page.status && message.text().includes(`status of ${page.status}`);
    if (message.type() === "error" && !isOwnStatus) complaints.push(message.text());
  });
  tab.on("pageerror", (error) => complaints.push(String(error)));
  tab.on("requestfailed", (request) => complaints.push(`${request.url()} failed`));
  await tab.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
  });
  const answer = await tab.goto(path, { waitUntil: "networkidle" });
  expect(answer.status() === (page.status ?? 200), `status ${answer.status()}`);
  expect(new URL(tab.url()).pathname === path.split("?")[0], `it led to ${tab.url()}`);
  expect((await tab.title()).trim().length > "· Relais".length, "no title");
  expect((await tab.locator("h1").count()) === 1, "not one h1");
  expect(complaints.length === 0, complaints.join("; "));
}

async function axe(tab, path) {
  await tab.goto(path);
  const { violations } = await new AxeBuilder({ page: tab }).analyze();
  const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  expect(grave.length === 0, grave.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" ")}`).join("; "));
}

async function fits(tab, path) {
  await tab.goto(path);
  const wide = await tab.evaluate(() => {
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const culprits = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return over > 0 ? `${over} px too wide: ${culprits.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" ")}` : "";
  });
  expect(wide === "", wide);
}

async function isSmall(tab, path) {
  const wire = await tab.context().newCDPSession(tab);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  const kinds = new Map();
  let octets = 0;
  wire.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Stylesheet", "Script"].includes(kinds.get(requestId))) octets += encodedDataLength;
  });
  await tab.goto(path, { waitUntil: "networkidle" });
  expect(octets > 0 && octets < OCTETS, `${Math.round(octets / 1024)} kB`);
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

async function focus(tab, path) {
  await tab.goto(path);
  let reached = 0;
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

async function french(tab, path) {
  await tab.goto(path);
  const { language, text } = await tab.evaluate(() => {
    const said = ["title", "placeholder", "aria-label", "alt", "data-label"];
    const named = [...document.querySelectorAll("*")].flatMap((one) => said.map((name) => one.getAttribute(name) ?? ""));
    return { language: document.documentElement.lang, text: [document.title, document.body.textContent, ...named].join("\n") };
  });
  expect(language === "fr", `its language is ${language}`);
  const left = leftovers(text);
  expect(left.length === 0, `English: ${left.slice(0, 5).join(" | ")}`);
}

async function walk(browser, role) {
  const context = await browser.visitor({ role });
  try {
    const tab = await context.newPage();
    await tab.goto("/");
    const links = await tab.locator(".rail .navigation a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
    expect(links.length > 0, "no navigation");
    for (const link of links) {
      const answer = await tab.goto(link);
      expect(answer.status() === 200, `${link} answers ${answer.status()}`);
      expect((await tab.locator(".rail a[aria-current=page]").count()) > 0, `${link} is not marked as the current page`);
    }
  } finally {
    await context.close();
  }
}
