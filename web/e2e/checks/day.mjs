// A whole day of somebody who has mail: they sign in, read, search, answer with a file, take back, move, train the filter, bring back what
// was deleted, and sign out. At three widths, in both themes and languages; by keyboard alone; and without scripts.
import { THEMES, WIDTHS, check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { said } from "../words.mjs";
import { axe, fits } from "./every-page.mjs";
import { deliver, line } from "./webmail.mjs";

const FIRST_LOAD_OCTETS = 150_000;
const PRESSES = 150; // of Tab, at most, until what is wanted is reached

export async function run(house, browser) {
  const who = await newcomer(house, browser, "swift");
  await inTab(browser, {}, async (tab) => {
    await comeIn(tab, who);
    await tab.goto("/mail/identities");
    await tab.locator("[name=format][value=plain]").check();
    await tab.locator("[name=undo]").selectOption("0"); // what is sent is sent
    await tab.locator("form[action='/mail/identities/choices'] button").click();
    await flash(tab);
    await check(`day: the first load of the inbox is under ${FIRST_LOAD_OCTETS / 1000} kB`, () => firstLoad(tab));
  });
  const letters = (name) => {
    deliver(house, who, `Plan ${name}`, "Shall we meet?\r\n\r\nSee https://x.example/menu\r\n", `<plan-${name}@x.example>`);
    deliver(house, who, `News ${name}`, "<h1>News</h1><p>All that <b>happened</b></p>", `<news-${name}@x.example>`, "Content-Type: text/html; charset=utf-8\r\n");
  };
  for (const width of WIDTHS) {
    for (const theme of THEMES) {
      for (const language of ["en", "fr"]) {
        const name = `${width}-${theme}-${language}`;
        letters(name);
        await check(`day: at ${width} pixels, ${theme}, in ${language === "en" ? "English" : "French"}`, () => (
          inTab(browser, { width, theme, language }, (tab) => day(tab, who, name, { language }))
        ));
      }
    }
  }
  for (const width of [390, 1440]) {
    letters(`still-${width}`);
    await check(`day: without scripts, at ${width} pixels`, () => (
      inTab(browser, { width, js: false }, (tab) => day(tab, who, `still-${width}`, { language: "en", js: false }))
    ));
  }
  letters("keys");
  await check("day: by keyboard alone", () => inTab(browser, {}, (tab) => byKeys(tab, who, "keys")));
}

async function day(tab, who, name, { language, js = true }) {
  const [plan, news] = [`Plan ${name}`, `News ${name}`];
  const word = (id) => said(language, id);
  // What holds wherever one stands.
  const stand = async (where) => {
    try {
      if (js) await axe(tab);
      await fits(tab);
      expect((await tab.locator("html").getAttribute("lang")) === language, "another language");
    } catch (error) {
      throw new Error(`${where}: ${error.message}`);
    }
  };
  const back = async () => {
    if (!(await tab.locator(".mail-list").isVisible())) await tab.locator("[data-back]").click();
  };
  const choose = (subject) => tab.locator(".line", { hasText: subject }).locator(".line-pick").check();
  const act = (value) => tab.locator(`#bulk button[value=${value}]`).click();

  await comeIn(tab, who);
  await tab.goto("/mail");
  await stand("the list");

  await line(tab, plan).click();
  await tab.locator(".message h1", { hasText: plan }).waitFor();
  await tab.locator(".plain a", { hasText: "x.example/menu" }).waitFor();
  await stand("a message");
  await back();
  await line(tab, news).click();
  await tab.frameLocator(".letter-frame").getByText("happened").waitFor();
  await stand("a message with formatting");
  await back();

  await tab.locator("[data-search]").fill(`subject:"${plan}"`);
  await tab.locator("[data-search]").press("Enter");
  await tab.waitForURL(/[?&]q=/);
  expect((await tab.locator(".line").count()) === 1, `${await tab.locator(".line").count()} found`);
  await stand("what was found");

  await line(tab, plan).click();
  await tab.locator(".message h1", { hasText: plan }).waitFor();
  await tab.locator("[data-reply]").click();
  await tab.locator("[name=to]").fill(who.address);
  await tab.locator("[name=text]").fill("Yes, the plan is attached.");
  await tab.locator("#files").setInputFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("At noon") });
  if (js) await tab.locator("[data-files] li", { hasText: "plan.txt" }).waitFor();
  await stand("an answer");
  await tab.locator("form[data-write] button[value=send].is-primary").click();
  await flash(tab);
  await tab.goto("/mail");
  await tab.locator(".line", { hasText: `Re: ${plan}` }).locator(".mark-paperclip").waitFor();
  await stand("what came of it");

  await choose(news);
  await act("archive");
  await flash(tab);
  expect((await line(tab, news).count()) === 0, "archived, it is still there");
  await tab.locator("[data-flash] form button[type=submit]").click();
  await line(tab, news).waitFor();

  await tab.goto("/mail"); // what was said is read
  await choose(news);
  await tab.locator("#bulk [data-move] > summary").click();
  await tab.locator("#bulk select[name=to]").selectOption({ label: word("webmail-archive") });
  await tab.locator("#bulk button[value=move]").click();
  await flash(tab);
  await follow(tab, "[data-folder]", word("webmail-archive"));
  await choose(news);
  await tab.locator("#bulk [data-move] > summary").click();
  await tab.locator("#bulk select[name=to]").selectOption({ label: word("webmail-inbox") });
  await tab.locator("#bulk button[value=move]").click();
  await flash(tab);
  await tab.goto("/mail");
  await line(tab, news).waitFor();

  await choose(news);
  await act("junk");
  await flash(tab);
  await follow(tab, "[data-folder]", word("webmail-junk"));
  await line(tab, news).click();
  await tab.locator(".message h1", { hasText: news }).waitFor();
  await tab.locator(".notice", { hasText: word("webmail-junk-why") }).waitFor();
  await stand("junk");
  await tab.locator(".message button[value=not-junk]").click();
  await flash(tab);
  await tab.goto("/mail");
  await line(tab, news).waitFor();

  await choose(news);
  await act("delete");
  await flash(tab);
  await follow(tab, "[data-folder]", word("webmail-trash"));
  await choose(news);
  await act("delete");
  await flash(tab);
  await follow(tab, "[href='/mail/removed']", word("webmail-removed"));
  await stand("what was deleted");
  await tab.locator(".removed-rows li", { hasText: news }).locator("input").check();
  await tab.locator("button[value=restore]").click();
  await flash(tab);
  await tab.goto("/mail");
  await line(tab, news).waitFor();

  await open(tab);
  if (await tab.locator(".rail summary.person").isVisible()) await tab.locator(".rail summary.person").click();
  await tab.locator("form[action='/sign-out'] button:visible").click();
  await tab.waitForURL("**/sign-in*");
  await tab.goto("/mail");
  expect(new URL(tab.url()).pathname === "/sign-in", "signed out, the mail is still there");
}

// What is not written on the keys is reached by Tab, and pressed by Enter: no pointer touches the page.
async function byKeys(tab, who, name) {
  const [plan, news] = [`Plan ${name}`, `News ${name}`];
  const keys = tab.keyboard;
  const reach = async (selector) => {
    for (let press = 0; press < PRESSES; press += 1) {
      if (await tab.evaluate((selector) => document.activeElement?.matches(selector), selector)) return;
      await keys.press("Tab");
    }
    throw new Error(`${selector} is not reached by Tab at ${tab.url()}`);
  };
  const enter = async (selector) => {
    await reach(selector);
    await keys.press("Enter");
  };
  // `j` until the keyboard is on this line.
  const onto = async (subject) => {
    await line(tab, subject).waitFor();
    for (let press = 0; press < 50; press += 1) {
      if ((await tab.locator(".line:focus-within .line-subject").allInnerTexts())[0] === subject) return;
      await keys.press("j");
    }
    throw new Error(`j never comes to ${subject}`);
  };
  const folder = async (title) => {
    const id = await tab.locator(".rail a[data-folder]", { hasText: title }).getAttribute("data-folder");
    await enter(`.rail a[data-folder="${id}"]`);
    await tab.locator(".mail-title", { hasText: title }).waitFor();
    await tab.waitForLoadState();
  };
  const done = async () => {
    await flash(tab);
    await tab.waitForLoadState();
  };

  await tab.goto("/sign-in");
  await reach("input[autocomplete~=username]");
  await keys.type(who.address);
  await reach("input[autocomplete=current-password]");
  await keys.type(who.password);
  await keys.press("Enter");
  await tab.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  await tab.goto("/mail");

  await onto(plan);
  await keys.press("o");
  await tab.locator(".message h1", { hasText: plan }).waitFor();
  await keys.press("u");
  await tab.locator(".mail-nothing").waitFor();

  await keys.press("/");
  await keys.type(`subject:"${plan}"`);
  await keys.press("Enter");
  await tab.waitForURL(/[?&]q=/);
  await onto(plan);
  await keys.press("Enter");
  await tab.locator(".message h1", { hasText: plan }).waitFor();

  await keys.press("r");
  await tab.waitForURL("**/mail/write?*");
  await reach("[name=text]");
  await keys.press("ControlOrMeta+Home");
  await keys.type("Yes, the plan is attached.");
  await reach("#files");
  // The window that the space bar opens here is the system's, and not ours to try.
  await tab.locator("#files").setInputFiles({ name: "plan.txt", mimeType: "text/plain", buffer: Buffer.from("At noon") });
  await tab.locator("[data-files] li", { hasText: "plan.txt" }).waitFor();
  await enter("form[data-write] button[value=send].is-primary");
  await done();

  await tab.goto("/mail");
  await onto(news);
  await keys.press("e");
  await done();
  expect((await line(tab, news).count()) === 0, "archived, it is still there");
  await keys.press("z");
  await line(tab, news).waitFor();

  await tab.goto("/mail");
  await onto(news);
  await keys.press("x");
  await enter("#bulk [data-move] > summary");
  await reach("#bulk select[name=to]");
  await keys.type(said("en", "webmail-archive"));
  await enter("#bulk button[value=move]");
  await done();
  await folder(said("en", "webmail-archive"));
  await onto(news);

  await tab.goto("/mail");
  await onto(plan);
  await keys.press("!");
  await done();
  await folder(said("en", "webmail-junk"));
  await onto(plan);
  await keys.press("o");
  await tab.locator(".message h1", { hasText: plan }).waitFor();
  await enter(".message button[value=not-junk]");
  await done();

  await tab.goto("/mail");
  await onto(plan);
  await keys.press("#");
  await done();
  await folder(said("en", "webmail-trash"));
  await onto(plan);
  await keys.press("#");
  await done();
  await enter(".rail a[href='/mail/removed']");
  await tab.waitForURL("**/mail/removed");
  await reach(".removed-rows input");
  await keys.press("Space");
  await enter("button[value=restore]");
  await done();
  await keys.press("g");
  await keys.press("i");
  await line(tab, plan).waitFor();

  await enter(".rail summary.person");
  await enter("form[action='/sign-out'] button");
  await tab.waitForURL("**/sign-in*");
}

// What came of the last act, whatever its language.
function flash(tab) {
  return tab.locator("[data-flash].is-ok").waitFor();
}

// The drawer, where the window is narrow.
async function open(tab) {
  const drawer = tab.locator(".topbar .drawer > summary");
  if (await drawer.isVisible()) await drawer.click();
}

async function follow(tab, kind, title) {
  await open(tab);
  await tab.locator(`a${kind}:visible`, { hasText: title }).first().click();
  await tab.locator(".mail-title, h1", { hasText: title }).first().waitFor();
}

// What comes over the wire for the inbox, packed as it is, to a browser that has never been here: page, styles, scripts, icons.
async function firstLoad(tab) {
  const wire = await tab.context().newCDPSession(tab);
  await wire.send("Network.enable");
  await wire.send("Network.setCacheDisabled", { cacheDisabled: true });
  let octets = 0;
  wire.on("Network.loadingFinished", ({ encodedDataLength }) => (octets += encodedDataLength));
  await tab.goto("/mail", { waitUntil: "load" });
  await tab.locator(".mail-list").waitFor();
  await wire.detach();
  console.log(`     the inbox weighs ${Math.round(octets / 1000)} kB at first`);
  expect(octets > 10_000 && octets < FIRST_LOAD_OCTETS, `${Math.round(octets / 1000)} kB`);
}
