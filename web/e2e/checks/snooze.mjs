// Messages that are put out of the way, and come back.
import { age, check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { deliver, line, told } from "./webmail.mjs";

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "dormouse");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, reader);
    return act(tab, context);
  });
  deliver(house, reader, "Bills", "Pay me.\r\n", "<bills@x.example>");
  const choose = async (tab, act) => {
    await tab.locator(".line", { hasText: "Bills" }).locator("input").check();
    await tab.locator("#bulk [data-snooze] summary").click();
    await tab.locator("#bulk").getByRole("button", { name: act }).click();
  };
  for (const js of [true, false]) {
    await check(`snooze: it leaves the list, says until when, and is taken back, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail");
      await choose(tab, "Tomorrow morning");
      await told(tab, "1 message snoozed");
      expect((await line(tab, "Bills").count()) === 0, "it is still there");
      expect((await tab.locator("#bulk details[open]").count()) === 0, "the menu stays open");
      expect(!js || (await tab.locator("#bulk [data-picked]").innerText()) === "", "something is still chosen");
      const taken = tab.locator("[data-flash] form button[type=submit]");
      await taken.click();
      await told(tab, "Taken back");
      await line(tab, "Bills").waitFor();
      await tab.locator(".line", { hasText: "Bills" }).locator("input").check();
      await tab.locator("#bulk [data-snooze] summary").click();
      await tab.locator("#until-bulk").fill("2020-01-01T09:00");
      await tab.locator("#bulk").getByRole("button", { name: "Until then" }).click();
      await told(tab, "Choose a time");
      await line(tab, "Bills").waitFor();
    }, { js }));
  }
  await check("snooze: the key opens the choice, and at its time it is back, unread, with nobody's doing", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto("/mail");
    await heard;
    await line(tab, "Bills").focus();
    await tab.keyboard.press("b");
    await tab.keyboard.press("Enter");
    await told(tab, "1 message snoozed");
    await tab.locator(".rail a", { hasText: "Snoozed" }).click();
    await line(tab, "Bills").waitFor();
    await tab.locator(".line-when .icon").first().waitFor();
    age(house, "UPDATE snoozed SET due_at = due_at - 4 * 3600000");
    // The house looks after itself within a minute; another message that is put off wakes it at once.
    await tab.goto("/mail");
    deliver(house, reader, "Other", "x\r\n", "<other@x.example>");
    await line(tab, "Other").waitFor();
    await line(tab, "Other").focus();
    await tab.keyboard.press("b");
    await tab.keyboard.press("Enter");
    await tab.locator(".line.is-unseen", { hasText: "Bills" }).waitFor();
  }));
}
