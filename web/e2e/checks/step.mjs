// Two browsers and a mutt on one mailbox stay in step: what one of them does, the others see by themselves within seconds. No page is
// loaded anew, and mutt is only looked at.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, comeIn, expect, inTab, newcomer, outcome, skip } from "../kit.mjs";
import { deliver, line } from "./webmail.mjs";

const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 100;

export async function run(house, browser) {
  const who = await newcomer(house, browser, "egret");
  for (const program of ["mutt", "tmux"]) {
    if (outcome(program, [program === "mutt" ? "-v" : "-V"]).code !== 0) return skip("step", `there is no ${program}`);
  }
  const post = (subject) => deliver(house, who, subject, `${subject}\r\n`, `<${subject}@x.example>`);
  for (const subject of ["first", "second", "third", "fourth", "fifth"]) post(subject);

  await inTab(browser, {}, async (one) => inTab(browser, { width: 834 }, async (other) => {
    const mutt = begin(house, who);
    const tabs = [one, other];
    try {
      for (const tab of tabs) {
        await comeIn(tab, who);
        const heard = tab.waitForResponse("**/mail/events");
        await tab.goto("/mail");
        await heard;
        await tab.evaluate(() => (window.isStillHere = true));
      }
      // All of them come to see `subject` so; how long that took is told.
      const see = async (what, browsers, lines) => {
        const begun = Date.now();
        for (const tab of tabs) await until(() => browsers(tab), `${what}: a browser doesn't see it`, begun);
        await until(async () => lines(mutt.screen()), `${what}: mutt doesn't see it`, begun, () => mutt.screen());
        console.log(`     ${what}: seen by all after ${Date.now() - begun} ms`);
      };
      const isThere = (subject) => async (tab) => (await line(tab, subject).count()) === 1;
      const isGone = (subject) => async (tab) => (await line(tab, subject).count()) === 0;
      const isStarred = (subject, is) => async (tab) => ((await tab.locator(".line", { hasText: subject }).locator(".mark-star").count()) === 1) === is;
      const isUnread = (subject, is) => async (tab) => ((await tab.locator(".line.is-unseen", { hasText: subject }).count()) === 1) === is;
      const shows = (subject) => (screen) => screen.includes(`>${subject}`);
      const lacks = (subject) => (screen) => !screen.includes(`>${subject}`);
      const marked = (subject, is) => (screen) => screen.includes(`!>${subject}`) === is && screen.includes(`>${subject}`);
      const fresh = (subject, is) => (screen) => new RegExp(`<[NO].*>${subject}`).test(screen) === is && screen.includes(`>${subject}`);
      // In a browser: on the line of this subject.
      const press = async (tab, subject, act) => {
        await tab.locator(".line", { hasText: subject }).locator(".line-pick").check();
        const button = tab.locator(`#bulk button[value=${act}]`);
        if (!(await button.isVisible())) await tab.locator("#bulk [data-move] > summary").click();
        await button.click();
      };

      await check("step: all see what was there", () => see("the list", isThere("fifth"), shows("fifth")));
      await check("step: new mail comes to all", async () => {
        post("sixth");
        await see("new mail", isThere("sixth"), shows("sixth"));
      });
      await check("step: a browser's star", async () => {
        await press(one, "first", "star");
        await see("a browser's star", isStarred("first", true), marked("first", true));
      });
      await check("step: another browser takes it away", async () => {
        await press(other, "first", "unstar");
        await see("a browser's star, taken away", isStarred("first", false), marked("first", false));
      });
      await check("step: mutt's flag", async () => {
        mutt.onto("second");
        mutt.press("F");
        mutt.press("$");
        await see("mutt's flag", isStarred("second", true), marked("second", true));
      });
      await check("step: read in a browser", async () => {
        await press(other, "first", "read");
        await see("read in a browser", isUnread("first", false), fresh("first", false));
      });
      await check("step: read in mutt, and unread again", async () => {
        mutt.onto("third");
        mutt.press("Enter");
        await until(async () => mutt.screen().includes("Subject: third"), "mutt doesn't open it", Date.now(), () => mutt.screen());
        mutt.press("i");
        mutt.press("$");
        await see("read in mutt", isUnread("third", false), fresh("third", false));
        mutt.onto("third");
        mutt.press("N");
        mutt.press("$");
        await see("unread in mutt", isUnread("third", true), fresh("third", true));
      });
      await check("step: moved by a browser", async () => {
        await press(one, "third", "archive");
        await see("moved by a browser", isGone("third"), lacks("third"));
      });
      await check("step: taken back by that browser", async () => {
        await one.locator("[data-flash] form button[type=submit]").click();
        await see("taken back", isThere("third"), shows("third"));
      });
      await check("step: moved by mutt", async () => {
        mutt.onto("fourth");
        mutt.press("s", "C-u", "=Archive", "Enter");
        mutt.press("$");
        await see("moved by mutt", isGone("fourth"), lacks("fourth"));
      });
      await check("step: deleted by a browser", async () => {
        await press(other, "fifth", "delete");
        await see("deleted by a browser", isGone("fifth"), lacks("fifth"));
      });
      await check("step: deleted by mutt", async () => {
        mutt.onto("sixth");
        mutt.press("d");
        mutt.press("$");
        await see("deleted by mutt", isGone("sixth"), lacks("sixth"));
      });
      await check("step: what was moved by mutt stands in the Archive of both browsers, and no page was loaded anew", async () => {
        for (const tab of tabs) {
          expect(await tab.evaluate(() => window.isStillHere === true), "a page was loaded anew");
          await tab.goto((await tab.locator("a[data-folder]", { hasText: "Archive" }).first().getAttribute("href")));
          await line(tab, "fourth").waitFor();
        }
      });
    } finally {
      mutt.end();
    }
  }));
}

async function until(holds, why, begun, more = () => "") {
  while (!(await holds())) {
    if (Date.now() - begun > PATIENCE_MS) throw new Error(`${why}, after ${PATIENCE_MS} ms ${more()}`);
    await new Promise((done) => setTimeout(done, LOOK_AGAIN_MS));
  }
}

// A mutt at a terminal that nobody sits at. It hears of changes by IDLE.
function begin(house, { address, password }) {
  const config = join(house.folder, "muttrc");
  writeFileSync(config, `set folder = "imaps://localhost:${house.facts.ports.imaps}/"
set spoolfile = "+INBOX"
set imap_user = "${address}"
set imap_pass = "${password}"
set imap_idle = yes
set timeout = 2
set mail_check = 2
set ssl_ca_certificates_file = "${house.facts.ca}"
set index_format = "<%Z>%s"
set sort = "date-received"
set header_cache = ""
set delete = yes
set confirmappend = no
set confirmcreate = no
set wait_key = no
set sleep_time = 0
set beep = no
set mark_old = no
`);
  const socket = `relais-${randomBytes(4).toString("hex")}`;
  const tmux = (...words) => outcome("tmux", ["-L", socket, "-f", "/dev/null", ...words]).text;
  tmux("new-session", "-d", "-x", "100", "-y", "30", `mutt -F ${config}`);
  return {
    screen: () => tmux("capture-pane", "-p"),
    press: (...keys) => tmux("send-keys", ...keys),
    // Onto the line of this subject.
    onto: (subject) => tmux("send-keys", "/", "C-u", `~s ${subject}`, "Enter"),
    end: () => tmux("kill-server"),
  };
}
