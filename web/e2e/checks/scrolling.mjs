// A list that goes on as it is scrolled: only what is near is in the page, and what is chosen stays chosen wherever one looks.
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { byImap, wayTo } from "../post.mjs";
import { line, told } from "./webmail.mjs";

const COUNT = 600;
const MOST_IN_PAGE = 350; // some windows of 50

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "dunlin");
  const mine = (title, act) => inTab(browser, {}, async (tab) => {
    await comeIn(tab, reader);
    const way = await wayTo(tab, title);
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto(way);
    await heard;
    return act(tab);
  });
  await byImap(house, reader, async (mailbox) => {
    for (const name of ["Long", "Short"]) await mailbox.say(`CREATE "${name}"`);
    await mailbox.append("Long", Array.from({ length: COUNT }, (_, number) => letter(`Number ${number + 1}.`)));
    await mailbox.append("Short", ["One.", "Two."].map(letter));
  });
  const [newest, oldest] = [`Number ${COUNT}.`, "Number 1."];
  const box = (tab, subject) => tab.locator(".line", { hasText: subject }).locator(".line-pick");
  const scroll = async (tab, part, subject) => {
    await tab.locator("[data-scroll]").evaluate((place, part) => (place.scrollTop = place.scrollHeight * part), part);
    await line(tab, subject).waitFor();
  };
  const counted = (tab, text) => tab.waitForFunction((text) => document.querySelector("[data-picked]").textContent === text, text);
  const away = (tab, subject) => tab.waitForFunction(
    (subject) => ![...document.querySelectorAll(".line-subject")].some((one) => one.textContent === subject),
    subject,
  );

  await check("scrolling: the last of hundreds is reached, and what is far isn't in the page", () => mine("Long", async (tab) => {
    await line(tab, newest).waitFor();
    await scroll(tab, 1, oldest);
    await away(tab, newest);
    const there = await tab.locator(".line").count();
    expect(there < MOST_IN_PAGE, `${there} lines are in the page`);
    await scroll(tab, 0, newest);
  }));
  await check("scrolling: the box that chooses all unchooses what is far, too", () => mine("Long", async (tab) => {
    await box(tab, newest).check();
    await scroll(tab, 1, oldest);
    await away(tab, newest);
    const all = tab.locator("[data-pick-all] input");
    await all.check();
    await all.uncheck();
    await counted(tab, "");
    await scroll(tab, 0, newest);
    expect(!(await box(tab, newest).isChecked()), "it is still chosen");
  }));
  // Lines that were scrolled away from were once unchosen without a word.
  await check("scrolling: what is chosen stays chosen far away, is counted, and goes with the others", () => mine("Long", async (tab) => {
    await box(tab, newest).check();
    await scroll(tab, 1, oldest);
    await away(tab, newest);
    await counted(tab, "(1)");
    await byImap(house, reader, (mailbox) => mailbox.append("Long", [letter("Meanwhile.")]));
    await scroll(tab, 1, oldest);
    await box(tab, oldest).check();
    await counted(tab, "(2)");
    await scroll(tab, 0, "Meanwhile.");
    expect(await box(tab, newest).isChecked(), "it is chosen no more");
    await counted(tab, "(2)");
    await tab.locator("#bulk").getByRole("button", { name: "Archive" }).click();
    await told(tab, "2 messages archived");
    await away(tab, newest);
    await counted(tab, "");
    await scroll(tab, 1, "Number 2.");
    await away(tab, oldest);
  }));
  await check("scrolling: a chosen message that goes meanwhile is counted no more", () => mine("Short", async (tab) => {
    await box(tab, "One.").check();
    await box(tab, "Two.").check();
    await counted(tab, "(2)");
    await byImap(house, reader, async (mailbox) => {
      await mailbox.say('SELECT "Short"');
      await mailbox.say("STORE 1 +FLAGS.SILENT (\\Deleted)");
      await mailbox.say("EXPUNGE");
    });
    await away(tab, "One.");
    await counted(tab, "(1)");
    expect(await box(tab, "Two.").isChecked(), "the other one is chosen no more");
  }));
}

function letter(subject) {
  return Buffer.from(`From: a@x.example\r\nSubject: ${subject}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n\r\nx\r\n`);
}
