// The webmail: reading, acting, writing, with and without scripts; and what a stranger's message may not do.
import { spawnSync } from "node:child_process";
import { check, expect, inTab, newcomer, comeIn } from "../kit.mjs";

const DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "wren");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, reader);
    return act(tab, context);
  });
  deliver(house, reader, "Lunch on Thursday", "Shall we?\r\n> Where?\r\n", "<lunch-1@x.example>");
  deliver(house, reader, "Re: Lunch on Thursday", "Yes. See https://x.example/menu\r\n", "<lunch-2@x.example>", "References: <lunch-1@x.example>\r\n");
  deliver(house, reader, "Invoice", "Please pay.\r\n", "<invoice@x.example>");
  deliver(house, reader, "Hostile", HOSTILE, "<hostile@x.example>", "Content-Type: text/html; charset=utf-8\r\n");

  // What is sent goes at once, and as plain text: checks/writing.mjs looks at the rest.
  await mine(async (tab) => {
    await tab.goto("/mail/identities");
    await tab.locator("[name=format][value=plain]").check();
    await tab.locator("[name=undo]").selectOption("0");
    await tab.locator("form[action='/mail/identities/choices'] button").click();
    await told(tab, "Kept");
  });
  await check("webmail: the list is there, a conversation on one line, and the keyboard's help", () => mine(async (tab) => {
    await tab.goto("/mail");
    await line(tab, "Invoice").waitFor();
    expect((await tab.locator(".line").count()) === 3, `${await tab.locator(".line").count()} lines`);
    await tab.keyboard.press("?");
    await tab.locator("dialog.keys[open]").waitFor();
    await tab.keyboard.press("Escape");
  }));
  for (const js of [true, false]) {
    await check(`webmail: a message opens, and what it answers stands beside it, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail");
      await line(tab, "Re: Lunch").click();
      await tab.locator(".message h1", { hasText: "Lunch" }).waitFor();
      await tab.locator(".plain a", { hasText: "x.example/menu" }).waitFor();
      expect((await tab.locator(".thread li").count()) === 2, "not both of the conversation");
      expect((await tab.locator(".line").count()) >= 3, "the list is gone");
    }, { js }));
    await check(`webmail: archived, and taken back, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail");
      await tab.locator(".line", { hasText: "Invoice" }).locator("input").check();
      await tab.locator("#bulk").getByRole("button", { name: "Archive" }).click();
      await told(tab, "1 message archived");
      expect((await line(tab, "Invoice").count()) === 0, "it is still there");
      await tab.locator("[data-flash] form button[type=submit]").click();
      await told(tab, "Taken back");
      await line(tab, "Invoice").waitFor();
    }, { js }));
    await check(`webmail: deleted for good, and brought back to where it stood, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      const chosen = async (act) => {
        await tab.locator(".line", { hasText: "Invoice" }).locator("input").check();
        await tab.locator("#bulk").getByRole("button", { name: act }).click();
      };
      await tab.goto("/mail");
      await chosen("Delete");
      await told(tab, "moved to Trash");
      await tab.locator(".rail a", { hasText: "Trash" }).click();
      await line(tab, "Invoice").waitFor();
      await chosen("Delete");
      await told(tab, "deleted for good");
      await tab.locator(".rail a", { hasText: "Recently deleted" }).click();
      await tab.locator(".removed-rows li", { hasText: "Invoice" }).locator("input").check();
      await tab.getByRole("button", { name: "Bring back", exact: true }).click();
      await told(tab, "1 message brought back");
      await tab.locator(".empty").waitFor();
      await tab.goto("/mail");
      await line(tab, "Invoice").waitFor();
    }, { js }));
    await check(`webmail: written, saved, sent, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail/write");
      await tab.locator("[name=to]").fill("nobody at all");
      await tab.locator("[name=subject]").fill(`Note ${js}`);
      await tab.locator("[name=text]").fill("To myself, é");
      await tab.getByRole("button", { name: "Send", exact: true }).click();
      await tab.locator("[data-errors]").waitFor();
      expect((await tab.locator("[name=text]").inputValue()) === "To myself, é", "what was typed is lost");
      await tab.locator("[name=to]").fill(reader.address);
      await tab.getByRole("button", { name: "Save as draft" }).last().click();
      await told(tab, "Saved as a draft");
      await tab.locator("[name=text]").fill("To myself, é, twice");
      await tab.getByRole("button", { name: "Save as draft" }).last().click();
      await told(tab, "Saved as a draft");
      await tab.getByRole("button", { name: "Send", exact: true }).click();
      await told(tab, "Sent");
      await line(tab, `Note ${js}`).first().click();
      await tab.locator(".plain", { hasText: "To myself, é, twice" }).waitFor();
      await tab.locator(".rail a", { hasText: "Drafts" }).click();
      await tab.locator(".empty").waitFor();
    }, { js }));
  }
  await check("webmail: new mail shows itself", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto("/mail");
    await heard;
    deliver(house, reader, "Just now", "Hello\r\n", "<now@x.example>");
    await line(tab, "Just now").waitFor();
  }));
  await check("webmail: where new mail comes in between, what is chosen stays chosen, and the keyboard on its line", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto("/mail");
    await heard;
    const box = tab.locator(".line", { hasText: "Invoice" }).locator(".line-pick");
    await box.check();
    await line(tab, "Invoice").focus();
    deliver(house, reader, "In between", "Hello\r\n", "<between@x.example>");
    await line(tab, "In between").waitFor();
    expect(await box.isChecked(), "it is chosen no more");
    const at = await tab.locator(".line:focus-within .line-subject").allInnerTexts();
    expect(at.join() === "Invoice", `the keyboard is on “${at.join()}”`);
  }));
  await check("webmail: where a list can't be fetched anew, its lines stay", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await tab.goto("/mail");
    await heard;
    await line(tab, "Invoice").waitFor();
    await tab.route(/part=list/, (route) => route.abort());
    const lost = tab.waitForEvent("requestfailed", (request) => request.url().includes("part=list"));
    deliver(house, reader, "Not fetched", "Hello\r\n", "<not-fetched@x.example>");
    await lost;
    await tab.setViewportSize({ width: 1300, height: 800 }); // the lines are put in their places
    await tab.evaluate(() => new Promise(requestAnimationFrame));
    await line(tab, "Invoice").waitFor({ timeout: 2_000 });
    await tab.unroute(/part=list/);
    deliver(house, reader, "Fetched", "Hello\r\n", "<fetched@x.example>");
    await line(tab, "Not fetched").waitFor();
  }));
  await check("webmail: j, e and z act on the line that the keyboard is on", () => mine(async (tab) => {
    await tab.goto("/mail");
    await tab.locator(".line").first().waitFor();
    const first = await tab.locator(".line .line-subject").first().innerText();
    await tab.keyboard.press("j");
    await tab.keyboard.press("e");
    await told(tab, "archived");
    expect((await tab.locator(".line .line-subject").first().innerText()) !== first, "it is still first");
    await tab.keyboard.press("z");
    await told(tab, "Taken back");
  }));
  // What was said in the menu once held for every later act, and a key meant for one line took the whole list.
  await check("webmail: all that a list shows is meant for one act; the next takes what it is pressed on", () => mine(async (tab) => {
    const marked = ".line:has(.mark-star)";
    const all = async () => {
      await tab.locator("#bulk [data-move] > summary").click();
      await tab.locator("#bulk [name=whom]").selectOption("matching");
    };
    await tab.goto("/mail");
    const count = await tab.locator(".line").count();
    await all();
    await tab.locator("#bulk [value=star]").click();
    await told(tab, "starred");
    expect(count > 1 && (await tab.locator(marked).count()) === count, `${await tab.locator(marked).count()} of ${count} are starred`);
    await line(tab, "Invoice").focus();
    await tab.keyboard.press("e");
    await told(tab, "1 message archived");
    expect((await tab.locator(".line").count()) === count - 1, "others went, too");
    await tab.keyboard.press("z");
    await told(tab, "Taken back");
    await all();
    await tab.keyboard.press("Escape");
    await line(tab, "Invoice").focus();
    await tab.keyboard.press("e");
    await told(tab, "1 message archived");
    await tab.keyboard.press("z");
    await told(tab, "Taken back");
    await all();
    await tab.locator("#bulk [value=unstar]").click();
    await tab.locator(marked).first().waitFor({ state: "detached" });
  }));
  for (const js of [true, false]) {
    // By scripts the page went on showing what had been taken back.
    await check(`webmail: a folder is renamed and deleted, and the page shows when that is taken back, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      const [old, fresh] = [`Bills ${js}`, `Papers ${js}`];
      const named = (name) => tab.locator(".folder-rows li").filter({ has: tab.locator(`input[value="${name}"]`) });
      const undone = async (name) => {
        await tab.locator("[data-flash] form button[type=submit]").click();
        await told(tab, "Taken back");
        await named(name).waitFor();
        await tab.locator(".rail a", { hasText: name }).waitFor();
      };
      await tab.goto("/mail/folders");
      await tab.locator("#name").fill(old);
      await tab.locator("main form.form button[type=submit]").click();
      await named(old).locator("[name=name]").fill(fresh);
      await named(old).getByRole("button", { name: "Rename" }).click();
      await named(fresh).waitFor();
      await undone(old);
      expect((await named(fresh).count()) === 0, "its other name is still there");
      await named(old).getByRole("button", { name: "Delete" }).click();
      await told(tab, "Trash");
      await undone(old);
    }, { js }));
  }
  // The list was once loaded anew when it became empty, and the way back went with what was said.
  await check("webmail: the last message of a list goes, and can still be taken back; the next one shows itself", () => mine(async (tab) => {
    await tab.goto("/mail/folders");
    await tab.locator("#name").fill("Lonely");
    await tab.locator("main form.form button[type=submit]").click();
    await told(tab, "");
    await tab.goto("/mail");
    const move = async (folder) => {
      await tab.locator(".line", { hasText: "Invoice" }).locator("input").check();
      await tab.locator("#bulk [data-move] > summary").click();
      await tab.locator("#bulk [name=to]").selectOption({ label: folder });
      await tab.locator("#bulk [value=move]").click();
      await told(tab, "moved");
    };
    await move("Lonely");
    const heard = tab.waitForResponse("**/mail/events");
    const way = await tab.locator("a[data-folder]", { hasText: "Lonely" }).first().getAttribute("href");
    await tab.goto(way);
    await heard;
    await tab.evaluate(() => (window.isStillHere = true));
    const lists = [];
    tab.on("response", (answer) => answer.url().endsWith(way) && lists.push(answer));
    await tab.locator(".line", { hasText: "Invoice" }).locator("input").check();
    await tab.locator("#bulk").getByRole("button", { name: "Archive" }).click();
    await told(tab, "archived");
    while (lists.length < 2) await tab.waitForResponse(() => true); // after the act, and when it is heard of
    await tab.locator(".empty").waitFor();
    await tab.locator("[data-flash] form button[type=submit]").click();
    await told(tab, "Taken back");
    await line(tab, "Invoice").waitFor();
    expect(await tab.evaluate(() => window.isStillHere === true), "the page was loaded anew");
    await move("Inbox");
  }));
  await check("webmail: search finds by words and operators", () => mine(async (tab) => {
    await tab.goto("/mail?q=" + encodeURIComponent("subject:invoice is:read"));
    await tab.locator(".empty, .line").first().waitFor();
    await tab.goto("/mail?q=" + encodeURIComponent("subject:invoice"));
    expect((await tab.locator(".line").count()) === 1, `${await tab.locator(".line").count()} found`);
  }));
  await check("webmail: a label is put on by Enter, found, taken off and taken back", () => mine(async (tab) => {
    await tab.goto("/mail");
    await line(tab, "Invoice").click();
    await tab.locator(".message h1", { hasText: "Invoice" }).waitFor();
    await tab.locator(".message [data-move] > summary").click();
    await tab.locator(".message [name=label]").fill("paid");
    await tab.locator(".message [name=label]").press("Enter");
    await told(tab, "1 message labelled.");
    await tab.goto("/mail?q=label:paid");
    await tab.locator(".line", { hasText: "Invoice" }).locator("input").check();
    await tab.locator("#bulk [data-move] > summary").click();
    await tab.locator("#bulk [name=label]").fill("paid");
    await tab.locator("#bulk [value=unlabel]").click();
    await told(tab, "1 message no longer labelled.");
    await tab.locator(".empty").waitFor();
    await tab.keyboard.press("z");
    await told(tab, "Taken back");
    await line(tab, "Invoice").waitFor();
  }));
  await check("webmail: on a phone one thing is seen at a time", () => mine(async (tab) => {
    await tab.goto("/mail");
    expect(await tab.locator(".mail-list").isVisible(), "no list");
    expect(!(await tab.locator(".mail-reading").isVisible()), "an empty message beside it");
    await line(tab, "Invoice").click();
    await tab.locator(".message h1", { hasText: "Invoice" }).waitFor();
    expect(!(await tab.locator(".mail-list").isVisible()), "the list beside it");
    await tab.locator("[data-back]").click();
    await line(tab, "Invoice").waitFor();
  }, { width: 390 }));
  for (const pictures of ["", "?pictures=1"]) {
    await check(`webmail: a hostile message runs nothing and asks nobody ${pictures}`, () => mine(async (tab) => {
      const asked = [];
      const complaints = [];
      tab.on("request", (request) => asked.push(request.url()));
      tab.on("dialog", (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        dialog.dismiss();
      });
      tab.on("console", (message) => complaints.push(message.text()));
      await tab.goto("/mail");
      const href = await line(tab, "Hostile").getAttribute("href");
      await tab.goto(href + pictures);
      const frame = tab.frameLocator(".letter-frame");
      await frame.getByText("the end").waitFor();
      await tab.waitForLoadState("networkidle");
      const fetched = asked.filter((url) => url.includes("/mail/picture?")).length;
      expect((fetched > 0) === (pictures !== ""), `${fetched} pictures were asked for`);
      expect(asked.some((url) => url.endsWith("/letter.css")), "its own style sheet is not there");
      expect(complaints.filter((one) => one.includes("letter.css") || one.includes("/mail/picture")).length === 0, complaints.join("; "));
      const outside = asked.filter((url) => !url.startsWith(house.panel) && !url.startsWith("data:"));
      expect(outside.length === 0, `asked: ${outside.join(" ")}`);
      expect(complaints.filter((one) => /dialog|RAN/.test(one)).length === 0, complaints.join("; "));
      expect((await tab.title()).includes("Hostile"), "the title was changed");
      const alive = await tab.locator(".letter-frame").evaluate((frame) => frame.contentDocument !== null);
      expect(!alive, "the frame is of our own origin");
    }));
  }
  await check("webmail: a picture of the message itself is shown, in place", () => mine(async (tab) => {
    const raw = `Content-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: text/html\r\n\r\n<p>dot <img src="cid:dot@x" width=9 height=9></p>\r\n` +
      `--r\r\nContent-Type: image/gif\r\nContent-ID: <dot@x>\r\nContent-Transfer-Encoding: base64\r\n\r\n${DOT}\r\n--r--\r\n`;
    const [head, ...rest] = raw.split("\r\n\r\n");
    deliver(house, reader, "Picture", rest.join("\r\n\r\n"), "<picture@x.example>", `${head}\r\n`);
    await tab.goto("/mail");
    await line(tab, "Picture").click();
    const picture = tab.frameLocator(".letter-frame").locator("img");
    await picture.waitFor();
    expect((await picture.getAttribute("src")).startsWith("data:image/gif;base64,"), "it stands elsewhere");
  }));
  await check("webmail: links that lead elsewhere are marked and said", () => mine(async (tab) => {
    await tab.goto("/mail");
    await line(tab, "Hostile").click();
    await tab.locator(".notice", { hasText: "Look twice" }).waitFor();
    await tab.frameLocator(".letter-frame").locator(".leads-to").first().waitFor();
  }));
}

// What came of the last act; where a script does it, the page is not another.
export function told(tab, words) {
  return tab.locator("[data-flash]", { hasText: words }).waitFor();
}

export function line(tab, subject) {
  return tab.locator(".line-link", { has: tab.locator(".line-subject", { hasText: subject }) }).first();
}

// As another host would, to the door for other hosts.
export function deliver(house, { address }, subject, body, id, more = "") {
  const { ports } = house.facts;
  const text = `From: Visitor <visitor@x.example>\r\nTo: <${address}>\r\nSubject: ${subject}\r\nMessage-ID: ${id}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\n` +
    `MIME-Version: 1.0\r\n${more}\r\n${body}`;
  const args = ["-sS", "--max-time", "20", "--mail-from", "visitor@x.example", "--mail-rcpt", address, "-T", "-", `smtp://localhost:${ports.smtp}/x.example`];
  const { status, stderr } = spawnSync("curl", args, { input: text.replace(/\r?\n/g, "\r\n"), encoding: "utf8" });
  expect(status === 0, `curl: ${stderr}`);
}

// What would run or be fetched, were it let.
export const HOSTILE = `<html><head><title>Evil</title><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/r">
<link rel="stylesheet" href="https://evil.example/s.css"><style>@import "https://evil.example/i.css"; body{background:url(https://evil.example/b.png)}</style></head>
<body onload="console.log('RAN onload')" background="https://evil.example/bg.png">
<script>console.log('RAN script'); top.document.title='RAN';</script>
<img src="x" onerror="console.log('RAN onerror')"><img src="https://evil.example/t.gif" srcset="https://evil.example/t2.gif 2x">
<svg onload="console.log('RAN svg')"><script>console.log('RAN svg script')</script><image href="https://evil.example/s.svg"/></svg>
<noscript><p title="</noscript><img src=x onerror=console.log('RAN noscript')>"></noscript>
<form action="https://evil.example/f"><input name="p" autofocus onfocus="console.log('RAN focus')"><button formaction="javascript:console.log('RAN')">x</button></form>
<iframe src="https://evil.example/i" srcdoc="<script>console.log('RAN srcdoc')</script>"></iframe><object data="https://evil.example/o"></object>
<video src="https://evil.example/v" poster="https://evil.example/p"></video><div style="background:url(https://evil.example/d.png);position:fixed;inset:0;z-index:99">cover</div>
<a href="javascript:console.log('RAN link')">link</a> <a href="https://evil.example/login">https://bank.com/login</a> <a href="https://192.0.2.1/">Log in</a>
<details open ontoggle="console.log('RAN toggle')"><summary>s</summary></details><p>the end</p>
<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=console.log('RAN mxss')&gt;"></body></html>\r\n`;
