// Searches that complete themselves, their parts, the count in the title, and notices.
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { deliver, line } from "./webmail.mjs";

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "jackdaw");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, reader);
    return act(tab, context);
  });
  deliver(house, reader, "Shiny things", "Silver.\r\n", "<shiny@x.example>");
  deliver(house, reader, "Dull things", "Lead.\r\n", "<dull@x.example>");
  await check("searching: operators and folders are suggested, and what was looked for before", () => mine(async (tab) => {
    await tab.goto("/mail?q=" + encodeURIComponent("subject:shiny is:unread"));
    const field = tab.locator("[data-suggest]");
    const suggested = (text) => tab.locator(`#suggestions option[value="${text}"]`).waitFor({ state: "attached" });
    await field.fill("has");
    await suggested("has:attachment");
    await field.fill("is:unread in:arch");
    await suggested("is:unread in:Archive");
    await field.fill("subj");
    await suggested("subject:");
    await suggested("subject:shiny is:unread");
  }));
  for (const js of [true, false]) {
    await check(`searching: a part is taken out of a search, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail?q=" + encodeURIComponent("things subject:shiny"));
      expect((await tab.locator(".line").count()) === 1, `${await tab.locator(".line").count()} found`);
      await tab.locator(".chip", { hasText: "subject:shiny" }).click();
      await tab.waitForURL(/q=things/);
      await tab.locator(".line", { hasText: "Dull" }).waitFor();
      expect((await tab.locator(".chip").count()) === 1, "both parts are there");
    }, { js }));
  }
  await check("searching: the title counts what is unread", () => mine(async (tab) => {
    await tab.goto("/mail");
    expect((await tab.title()).startsWith("(2) "), await tab.title());
    await line(tab, "Shiny").click();
    await tab.waitForFunction(() => document.title.startsWith("(1) "));
  }));
  await check("notices: asked for by a click alone, and shown of mail that comes while one looks elsewhere", () => mine(async (tab, context) => {
    await context.grantPermissions(["notifications"]);
    await context.addInitScript(() => {
      globalThis.told = [];
      const permission = { now: "default", asked: 0 };
      globalThis.permission = permission;
      globalThis.Notification = class extends EventTarget {
        constructor(title, { body }) {
          super();
          globalThis.told.push(`${title}: ${body}`);
        }
        static get permission() {
          return localStorage.getItem("test-granted") ? "granted" : "default";
        }
        static async requestPermission() {
          permission.asked += 1;
          localStorage.setItem("test-granted", "1");
          return "granted";
        }
      };
      Object.defineProperty(document, "hidden", { get: () => Boolean(localStorage.getItem("test-hidden")) });
    });
    await tab.goto("/mail/choices");
    expect((await tab.evaluate(() => globalThis.permission.asked)) === 0, "asked by itself");
    await tab.locator("[data-notify] button").click();
    await tab.locator("[data-notify]", { hasText: "Notices are shown" }).waitFor();
    await tab.evaluate(() => localStorage.setItem("test-hidden", "1"));
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto("/mail");
    await heard;
    deliver(house, reader, "Look here", "x\r\n", "<look@x.example>");
    await tab.waitForFunction(() => globalThis.told.length > 0);
    const [told] = await tab.evaluate(() => globalThis.told);
    expect(told === "Visitor: Look here", told);
  }));
}
