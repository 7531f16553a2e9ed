// What fingers do on phones, and the mouse with lines: each has its button, its feedback and its undo.
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { deliver, line, told } from "./webmail.mjs";

const PHONE = { width: 390, touch: true };
const STEPS = 25; // that a finger is heard of on its way

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "martin");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, reader);
    return act(tab, context);
  });
  deliver(house, reader, "Swipe me", "x\r\n", "<swipe@x.example>");
  deliver(house, reader, "Drag me", "x\r\n", "<drag@x.example>");
  await check("touching: a line that is swiped far is archived, and taken back; a little does nothing", () => mine(async (tab) => {
    await tab.goto("/mail");
    await swipe(tab, line(tab, "Swipe me"), -60);
    expect((await line(tab, "Swipe me").count()) === 1, "a little was enough");
    await swipe(tab, line(tab, "Swipe me"), -250, async () => {
      await tab.locator(".line.is-far .line-swipe.is-end", { hasText: "Archive" }).waitFor();
    });
    await told(tab, "1 message archived");
    await tab.locator("[data-flash] form button[type=submit]").click();
    await told(tab, "Taken back");
    await line(tab, "Swipe me").waitFor();
  }, PHONE));
  await check("touching: the other way it is read, and unread again", () => mine(async (tab) => {
    await tab.goto("/mail");
    await swipe(tab, line(tab, "Swipe me"), 250);
    await told(tab, "1 message marked as read");
    await tab.locator(".line:not(.is-unseen)", { hasText: "Swipe me" }).waitFor();
    await swipe(tab, line(tab, "Swipe me"), 250);
    await told(tab, "1 message marked as unread");
  }, PHONE));
  // In a window of its own, where the browser itself has nowhere to go back to; it once took the finger away.
  await check("touching: from the edge a message is swiped back to its list, and not from its middle", () => mine(async (tab, context) => {
    await tab.goto("/mail");
    const href = await line(tab, "Swipe me").getAttribute("href");
    const other = await context.newPage();
    await other.goto(href);
    const open = other.locator(".message h1", { hasText: "Swipe me" });
    await open.waitFor();
    await drag(other, 150, 300, 200);
    expect(await open.isVisible(), "from the middle it went back, too");
    await drag(other, 8, 300, 200);
    await line(other, "Swipe me").waitFor();
  }, PHONE));
  await check("touching: a line is dragged onto a folder, and the same is done by keys", () => mine(async (tab) => {
    await tab.goto("/mail");
    await line(tab, "Drag me").dragTo(tab.locator(".rail a", { hasText: "Archive" }));
    await told(tab, "1 message moved");
    await tab.locator("[data-flash] form button[type=submit]").click();
    await told(tab, "Taken back");
    await line(tab, "Drag me").focus();
    await tab.keyboard.press("v");
    await tab.waitForFunction(() => document.activeElement.name === "to");
  }));
}

// A finger on `place`, by so many pixels; `before` looks while it is still down.
async function swipe(tab, place, by, before = async () => {}) {
  let box = null; // the list is put in anew after an act
  while (!box) box = await place.boundingBox();
  await drag(tab, box.x + box.width / 2, box.y + box.height / 2, by, before);
}

async function drag(tab, x, y, by, before = async () => {}) {
  const finger = await tab.context().newCDPSession(tab);
  const say = (type, ...touchPoints) => finger.send("Input.dispatchTouchEvent", { type, touchPoints });
  await say("touchStart", { x, y });
  for (let step = 1; step <= STEPS; step += 1) await say("touchMove", { x: Math.max(1, x + (by * step) / STEPS), y });
  await before();
  await say("touchEnd");
  await finger.detach();
}
