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
    const { name, role } = page;
    // A window for each way of looking; the page is fetched once in each.
    await inTab(browser, { role }, async (tab) => {
      let octets = () => 0;
      await check(`${name}: it is there, with a title, and nothing is refused`, async () => {
        octets = await weighed(tab);
        await stands(tab, path, page);
      });
      await check(`${name}: it is small`, async () => {
        expect(octets() > 0 && octets() < OCTETS, `${Math.round(octets() / 1024)} kB`);
      });
      await check(`${name}: axe, light and wide`, () => axe(tab));
      await check(`${name}: where the keyboard is can be seen`, () => focus(tab));
    });
    await inTab(browser, { role, width: 390, theme: "dark" }, async (tab) => {
      await check(`${name}: a phone shows its whole width`, async () => {
        await tab.goto(path);
        await fits(tab);
      });
      await check(`${name}: axe, dark and narrow`, () => axe(tab));
    });
    await inTab(browser, { role, js: false }, async (tab) => {
      await check(`${name}: it works without scripts`, () => withoutScripts(tab, path, page));
    });
    await inTab(browser, { role, language: "fr" }, async (tab) => {
      await check(`${name}: French is French`, () => french(tab, path));
    });
  }
  for (const role of ROLES) {
    await inTab(browser, { role }, (tab) => check(`${role}: each page of the navigation opens`, () => walk(tab)));
  }
}

async function inTab(browser, how, act) {
  let context;
  try {
    context = await browser.visitor(how);
  } catch (error) {
    await check(`signed in as ${how.role}`, () => Promise.reject(error));
    return;
  }
  try {
    await act(await context.newPage());
  } finally {
    await context.close();
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
  const answer = await tab.goto(path);
  expect(answer.status() === (page.status ?? 200), `status ${answer.status()}`);
  expect(new URL(tab.url()).pathname === path.split("?")[0], `it led to ${tab.url()}`);
  expect((await tab.title()).trim().length > "· Relais".length, "no title");
  expect((await tab.locator("h1").count()) === 1, "not one h1");
  expect(complaints.length === 0, complaints.join("; "));
}

async function axe(tab) {
  const { violations } = await new AxeBuilder({ page: tab }).analyze();
  const grave = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  expect(grave.length === 0, grave.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" ")}`).join("; "));
}

async function fits(tab) {
  const wide = await tab.evaluate(() => {
    const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const culprits = [...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return over > 0 ? `${over} px too wide: ${culprits.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" ")}` : "";
  });
  expect(wide === "", wide);
}

// Counts what comes over the wire for the page itself, packed as it is.
async function weighed(tab) {
  const wire = await tab.context().newCDPSession(tab);
  await wire.send("Network.enable");
  const kinds = new Map();
  let octets = 0;
  wire.on("Network.responseReceived", ({ requestId, type }) => kinds.set(requestId, type));
  wire.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    if (["Document", "Stylesheet", "Script"].includes(kinds.get(requestId))) octets += encodedDataLength;
  });
  return () => octets;
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

async function walk(tab) {
  await tab.goto("/");
  const links = await tab.locator(".rail .navigation a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
  expect(links.length > 0, "no navigation");
  for (const link of links) {
    const answer = await tab.goto(link);
    expect(answer.status() === 200, `${link} answers ${answer.status()}`);
    expect((await tab.locator(".rail a[aria-current=page]").count()) > 0, `${link} is not marked as the current page`);
  }
}
