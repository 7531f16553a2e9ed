// Writing in the webmail: with formatting, as whom, with files and pictures, stopped, later, and when the connection is lost.
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { HOSTILE, deliver, line, told } from "./webmail.mjs";

const DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";
const PDF = btoa("%PDF-1.4\n%%EOF\n");

export async function run(house, browser) {
  const writer = await newcomer(house, browser, "robin");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, writer);
    return act(tab, context);
  });
  deliver(house, writer, "Hostile", HOSTILE, "<hostile@x.example>", "Content-Type: text/html; charset=utf-8\r\n");
  const choose = (tab, undo) => tab.goto("/mail/identities").then(async () => {
    await tab.locator("[name=format][value=rich]").check();
    await tab.locator("[name=undo]").selectOption(undo);
    await tab.locator("form[action='/mail/identities/choices'] button").click();
    await told(tab, "Kept");
  });
  await mine((tab) => choose(tab, "0"));

  for (const js of [true, false]) {
    await check(`writing: a name with a signature is kept, and a new message has it, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail/identities");
      await tab.locator("#address").fill("somebody@else.example");
      await tab.getByRole("button", { name: "Add" }).click();
      await tab.locator("[data-errors]").waitFor();
      const [local, domain] = writer.address.split("@");
      await tab.locator("#address").fill(`${local}+${js ? "js" : "no"}@${domain}`);
      await tab.locator("#name").fill("Robin at work");
      await tab.locator("#signature").fill(`Robin\nDesk ${js}`);
      await tab.locator("#is_default").check();
      await tab.getByRole("button", { name: "Add" }).click();
      await told(tab, "Kept");
      await tab.goto("/mail/write");
      expect((await tab.locator("#from").inputValue()).startsWith("Robin at work"), "another name is chosen");
      if (js) await tab.locator("[data-editor-text]", { hasText: "Desk true" }).waitFor();
      else expect((await tab.locator("[name=text]").inputValue()).includes("-- \nRobin\nDesk false"), "no signature");
    }, { js }));
  }
  await check("writing: bold, a list, a picture and a file arrive, and no policy is broken", () => mine(async (tab) => {
    const broken = [];
    tab.on("console", (message) => /Content Security Policy|Refused/.test(message.text()) && broken.push(message.text()));
    tab.on("pageerror", (error) => broken.push(String(error)));
    await begin(tab, writer.address, "Formatted");
    await tab.locator("[data-format=bold]").click();
    await tab.keyboard.type("Important");
    await tab.locator("[data-format=bold]").click();
    await tab.keyboard.type(" <b>plain</b>");
    await tab.keyboard.press("Enter");
    await tab.locator("[data-format=bullets]").click();
    await tab.keyboard.type("first");
    await drop(tab, "[data-editor-text]", file("dot.gif", "image/gif", DOT));
    await tab.locator("[data-editor-text] img[src^='data:image/gif']").waitFor();
    await drop(tab, "[name=subject]", file("plan.txt", "text/plain", "b25l"));
    await tab.locator("[data-files] li", { hasText: "plan.txt" }).waitFor();
    await tab.getByRole("button", { name: "Send", exact: true }).click();
    await told(tab, "Sent");
    await line(tab, "Formatted").click();
    const letter = tab.frameLocator(".letter-frame");
    await letter.locator("b", { hasText: /^Important$/ }).waitFor();
    await letter.getByText("<b>plain</b>").waitFor();
    await letter.locator("ul li", { hasText: "first" }).waitFor();
    expect((await letter.locator("img").getAttribute("src")).startsWith("data:image/gif;base64,"), "the picture is gone");
    await tab.locator(".message-files", { hasText: "plan.txt" }).waitFor();
    expect((await tab.locator(".message-files li").count()) === 1, "the picture is a file, too");
    expect(broken.length === 0, broken.join("; "));
  }));
  await check("writing: what is pasted has no teeth", () => mine(async (tab) => {
    const ran = [];
    tab.on("console", (message) => /RAN/.test(message.text()) && ran.push(message.text()));
    const asked = [];
    tab.on("request", (request) => asked.push(request.url()));
    await begin(tab, writer.address, "Pasted");
    // A noscript that its own attribute closes swallows the rest.
    await paste(tab, "[data-editor-text]", null, { "text/html": HOSTILE.replace(/<noscript>.*/, "") });
    await tab.locator("[data-editor-text]", { hasText: "the end" }).waitFor();
    const left = await tab.locator("[data-editor-text]").innerHTML();
    expect(!/<script|<svg|<iframe|<form|<img|onerror|onload|javascript:|style=/i.test(left), left);
    expect(ran.length === 0, ran.join("; "));
    expect(asked.every((url) => url.startsWith(house.panel) || /^(data|blob):/.test(url)), asked.join(" "));
  }));
  // The editor once swallowed a file that wasn't a picture.
  await check("writing: a pasted file is attached, a pasted picture stands in the text, and pasted text stays text", () => mine(async (tab) => {
    await begin(tab, writer.address, "Pasted files");
    await paste(tab, "[data-editor-text]", file("plan.pdf", "application/pdf", PDF));
    await tab.locator("[data-files] li", { hasText: "plan.pdf" }).waitFor();
    await paste(tab, "[data-editor-text]", file("dot.gif", "image/gif", DOT));
    await tab.locator("[data-editor-text] img[src^='data:image/gif']").waitFor();
    // As word processors copy it: a picture of the words beside them.
    await paste(tab, "[data-editor-text]", file("words.png", "image/png", DOT), { "text/html": "<b>Words</b>", "text/plain": "Words" });
    await tab.locator("[data-editor-text] b", { hasText: "Words" }).waitFor();
    await tab.locator("[data-as=plain]").click();
    await paste(tab, "[name=text]", file("second.pdf", "application/pdf", PDF));
    await tab.locator("[data-files] li", { hasText: "second.pdf" }).waitFor();
    await tab.locator("[data-as=rich]").click();
    const names = await tab.locator("[data-files] .one-line").allInnerTexts();
    expect(names.join() === "plan.pdf,second.pdf", `attached: ${names.join()}`);
    await tab.getByRole("button", { name: "Discard" }).click();
    await told(tab, "");
    await choose(tab, "0");
  }));
  await check("writing: an answer quotes a hostile message in a frame, and sends it clean", () => mine(async (tab) => {
    const [asked, ran] = [[], []];
    tab.on("request", (request) => asked.push(request.url()));
    tab.on("console", (message) => /RAN/.test(message.text()) && ran.push(message.text()));
    await tab.goto("/mail");
    await line(tab, "Hostile").click();
    await tab.locator("[data-reply]").click();
    await tab.locator("[data-quote] summary").click();
    await tab.frameLocator("[data-quote] iframe").getByText("the end").waitFor();
    expect((await tab.locator("[data-editor-text]", { hasText: "the end" }).count()) === 0, "the quote stands in the page");
    await tab.locator("[name=to]").fill(writer.address);
    await tab.locator("[data-editor-text]").click();
    await tab.keyboard.type("My own words. ");
    await tab.getByRole("button", { name: "Send", exact: true }).click();
    await told(tab, "Sent");
    await line(tab, "Re: Hostile").click();
    const letter = tab.frameLocator(".letter-frame");
    await letter.getByText("My own words.").waitFor();
    await letter.locator("blockquote", { hasText: "the end" }).waitFor();
    await tab.waitForLoadState("networkidle");
    const uid = new URL(tab.url()).pathname;
    await tab.goto(`${uid}/source`);
    const source = await tab.locator(".source").innerText();
    expect(!/evil\.example\/(t|bg|b|s|i)\b|<script|onerror/.test(source.replaceAll("=\n", "")), "it was sent with its teeth");
    expect(asked.every((url) => url.startsWith(house.panel) || url.startsWith("data:")), asked.join(" "));
    expect(ran.length === 0, ran.join("; "));
  }));
  await check("writing: plain text by choice, and it is remembered", () => mine(async (tab) => {
    await begin(tab, writer.address, "Plain");
    await tab.keyboard.type("One line");
    await tab.locator("[data-as=plain]").click();
    expect((await tab.locator("[name=text]").inputValue()).startsWith("One line"), "the text is gone");
    await tab.getByRole("button", { name: "Save as draft" }).last().click();
    await told(tab, "Saved");
    await tab.goto("/mail/write");
    await tab.locator("[name=text]").waitFor();
    await tab.locator("[data-as=rich]").click();
    await tab.locator("[data-editor-text]").waitFor();
    await choose(tab, "0");
  }));
  for (const js of [true, false]) {
    await check(`writing: a forgotten file is asked about, and it goes all the same, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await begin(tab, writer.address, `Forgotten ${js}`, js);
      if (js) await tab.keyboard.type("The plan is attached");
      else await tab.locator("[name=text]").fill("The plan is attached");
      await tab.getByRole("button", { name: "Send", exact: true }).click();
      await tab.getByText("but none is attached").waitFor();
      await tab.getByRole("button", { name: "Send all the same" }).click();
      await told(tab, "Sent");
      await line(tab, `Forgotten ${js}`).waitFor();
    }, { js }));
    await check(`writing: what was sent is stopped, and written on, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await choose(tab, "30");
      await begin(tab, writer.address, `Stopped ${js}`, js);
      if (js) await tab.keyboard.type("Too early");
      else await tab.locator("[name=text]").fill("Too early");
      await tab.getByRole("button", { name: "Send", exact: true }).click();
      await told(tab, "Sent in 30 seconds");
      await tab.locator(".rail a", { hasText: "Scheduled" }).waitFor();
      await tab.locator("[data-flash] form button[type=submit]").click();
      await tab.waitForURL("**/mail/write?draft=*");
      expect((await tab.locator("[name=subject]").inputValue()) === `Stopped ${js}`, "another message");
      await tab.goto("/mail");
      expect((await line(tab, `Stopped ${js}`).count()) === 0, "it went");
      await choose(tab, "0");
    }, { js }));
  }
  await check("writing: stopping takes five seconds at most; then it goes by itself", () => mine(async (tab) => {
    await choose(tab, "5");
    await begin(tab, writer.address, "By itself");
    await tab.keyboard.type("Hello");
    await tab.getByRole("button", { name: "Send", exact: true }).click();
    await told(tab, "Sent in 5 seconds");
    await line(tab, "By itself").waitFor();
    await choose(tab, "0");
  }));
  await check("writing: what is to go tomorrow waits, and is stopped", () => mine(async (tab) => {
    await begin(tab, writer.address, "Tomorrow");
    await tab.keyboard.type("Hello");
    await tab.locator(".writing-later summary").click();
    await tab.locator("#due").fill("2000-01-01T09:00");
    await tab.getByRole("button", { name: "Send then" }).click();
    await tab.locator("[data-errors]").waitFor();
    const tomorrow = await tab.evaluate(() => {
      const day = new Date(Date.now() + 24 * 3600 * 1000);
      return new Date(day.getTime() - day.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    });
    await tab.locator("#due").fill(tomorrow);
    await tab.getByRole("button", { name: "Send then" }).click();
    await told(tab, "It goes out by itself");
    await tab.locator(".later li", { hasText: "Tomorrow" }).getByRole("button", { name: "Stop" }).click();
    await told(tab, "Stopped");
  }));
  await check("writing: where the connection is lost, nothing typed is", () => mine(async (tab, context) => {
    await begin(tab, writer.address, "Offline");
    await context.setOffline(true);
    await tab.locator("[data-editor-text]").click();
    await tab.keyboard.type("Typed in a tunnel");
    await tab.locator("[data-state]", { hasText: "Not saved" }).waitFor();
    const other = await context.newPage();
    await tab.close({ runBeforeUnload: false });
    await context.setOffline(false);
    await other.goto("/mail/write");
    await other.locator("[data-left-take]").click();
    await other.locator("[data-editor-text]", { hasText: "Typed in a tunnel" }).waitFor();
    await other.locator("[data-state]", { hasText: "Saved" }).waitFor();
  }));
  // Where the browser thought that there was no connection, a message was saved again and again, and never sent.
  await check("writing: it is sent where the browser is wrong about its connection", () => mine(async (tab) => {
    await tab.addInitScript(() => Object.defineProperty(Navigator.prototype, "onLine", { get: () => false }));
    await begin(tab, writer.address, "No connection");
    expect(await tab.evaluate(() => !navigator.onLine), "the browser thinks otherwise");
    await tab.keyboard.type("There is one");
    await tab.getByRole("button", { name: "Send", exact: true }).click();
    await told(tab, "Sent");
  }));
  // What was saved late was said to be saved, and that Send had been pressed was forgotten.
  await check("writing: what was pressed while the connection was lost is done when it is back; who writes on presses again", () => mine(async (tab) => {
    let losses = 0;
    await tab.route("**/mail/write", (route) => {
      const isLost = route.request().method() === "POST" && losses > 0;
      losses -= isLost ? 1 : 0;
      return isLost ? route.abort() : route.continue();
    });
    const lost = async (subject) => {
      await begin(tab, writer.address, subject);
      await tab.keyboard.type("Hello");
      losses = 1;
      await tab.getByRole("button", { name: "Send", exact: true }).click();
      await tab.locator("[data-state]", { hasText: "Not saved" }).waitFor();
    };
    await lost("Lost for a moment");
    await told(tab, "Sent");
    await lost("Written on");
    await tab.locator("[name=subject]").fill("Written on, and on");
    await tab.locator("[data-state]", { hasText: /^Saved/ }).waitFor();
    expect((await tab.locator("[data-flash]").count()) === 0, "it was sent");
    await tab.getByRole("button", { name: "Send", exact: true }).click();
    await told(tab, "Sent");
  }));
  for (const js of [true, false]) {
    await check(`writing: a contact is added, found, and forgotten, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail/contacts");
      await tab.locator("#name").fill(`Wren ${js}`);
      await tab.locator("#addresses").fill("wren");
      await tab.getByRole("button", { name: "Add" }).click();
      await tab.locator("[data-errors]").waitFor();
      await tab.locator("#addresses").fill(`wren-${js}@x.example`);
      await tab.locator("#groups").fill("Birds");
      await tab.getByRole("button", { name: "Add" }).click();
      await told(tab, `Kept: Wren ${js}`);
      await tab.locator(".contact-groups a", { hasText: "birds" }).click();
      await tab.locator(".identity summary", { hasText: `Wren ${js}` }).click();
      if (js) {
        const completed = await tab.evaluate(() => fetch("/mail/addresses?q=birds").then((answer) => answer.text()));
        expect(completed.includes(`wren-${js}@x.example`), "the group is not completed");
      }
      await tab.locator(".identity[open]").getByRole("button", { name: "Remove" }).click();
      await told(tab, "Removed");
    }, { js }));
  }
  // The page was once loaded anew when its tab was seen again, or the connection for news came back: as if there were a list on it.
  await check("writing: who looks at another tab, or loses the connection for a moment, finds all that they typed", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await begin(tab, writer.address, "Between tabs");
    await tab.keyboard.type("Half a sentence");
    await heard;
    await tab.evaluate(() => {
      window.isStillHere = true;
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await tab.waitForResponse("**/mail/choices"); // what is asked then
    await tab.locator("[data-state]", { hasText: "Saved" }).waitFor();
    expect(await tab.evaluate(() => window.isStillHere === true), "the page was loaded anew");
    expect((await tab.locator("[data-editor-text]").innerText()).includes("Half a sentence"), "what was typed is gone");
    await tab.getByRole("button", { name: "Discard" }).click();
    await told(tab, "");
  }));
  await check("writing: a draft that saves itself is no new mail", () => mine(async (tab) => {
    const heard = tab.waitForResponse("**/mail/events");
    await begin(tab, writer.address, "Kept by itself");
    await heard;
    const counted = tab.waitForResponse("**/mail/choices"); // the news of it has come
    await tab.keyboard.type("Hello");
    await tab.locator("[data-state]", { hasText: /^Saved/ }).waitFor();
    await counted;
    expect((await tab.locator(".toast").count()) === 0, "it is told as new mail");
    await tab.getByRole("button", { name: "Discard" }).click();
    await told(tab, "");
  }));
  await check("writing: reading loads no editor", () => mine(async (tab) => {
    const asked = [];
    tab.on("request", (request) => asked.push(request.url()));
    await tab.goto("/mail");
    await line(tab, "Hostile").waitFor();
    expect(!asked.some((url) => /squire|purify|mail-editor/.test(url)), asked.join(" "));
  }));
}

async function begin(tab, to, subject, js = true) {
  await tab.goto("/mail/write");
  await tab.locator("[name=to]").fill(to);
  await tab.locator("[name=subject]").fill(subject);
  if (js) await tab.locator("[data-editor-text]").click({ position: { x: 12, y: 12 } });
}

function file(name, type, octets) {
  return { name, type, octets };
}

// As a hand does that lets go of a file there.
function drop(tab, where, file) {
  return hand(tab, where, "drop", file);
}

// `texts` by their types.
function paste(tab, where, file, texts = {}) {
  return hand(tab, where, "paste", file, texts);
}

function hand(tab, where, how, file, texts = {}) {
  return tab.locator(where).evaluate((place, { how, file, texts }) => {
    const data = new DataTransfer();
    for (const [type, text] of Object.entries(texts)) data.setData(type, text);
    if (file) data.items.add(new File([Uint8Array.from(atob(file.octets), (letter) => letter.charCodeAt(0))], file.name, { type: file.type }));
    const ways = { bubbles: true, cancelable: true };
    place.dispatchEvent(
      how === "drop" ? new DragEvent(how, { dataTransfer: data, ...ways }) : new ClipboardEvent(how, { clipboardData: data, ...ways }),
    );
  }, { how, file, texts });
}
