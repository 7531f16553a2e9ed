// "Test this message", and judging one that is here once more.
import { check, domain, inTab, press, refused, sees } from "../kit.mjs";

const message = (from) => `Received: from mx.elsewhere.example ([203.0.113.25]) by mx.other.example;\n\tMon, 23 Nov 2026 10:00:00 +0000
From: Dora <dora@${from}>\nTo: ann\nSubject: Re: the parser\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nMessage-ID: <1@${from}>

Yes, it builds here.\n`;

export async function run(house, browser) {
  const desk = (act) => inTab(browser, { role: "help_desk" }, act);
  const test = async (tab, fields) => {
    await tab.goto("/panel/messages");
    await tab.getByRole("link", { name: "Test a message" }).click();
    for (const [name, value] of Object.entries(fields)) await tab.locator(`[name=${name}]`).fill(value);
    await press(tab, "Test it");
  };

  await check("judge: what is proved would go where it is to go, and the page says why", () => desk(async (tab) => {
    await test(tab, {
      message: message("elsewhere.example"), recipient: `ann@${domain(house)}`, sender: "dora@elsewhere.example",
    });
    await sees(tab, /It would go where it is to go/);
    await sees(tab, "judged as it came here");
    await sees(tab, "203.0.113.25");
  }));
  await check("judge: the same from another host would be refused, with the reply", () => desk(async (tab) => {
    await test(tab, {
      message: message("elsewhere.example"), recipient: `ann@${domain(house)}`, sender: "dora@elsewhere.example",
      peer: "198.51.100.9",
    });
    await sees(tab, "It would be refused.");
    await sees(tab, /550 5\.7\.1 elsewhere\.example wants mail refused/);
  }));
  await check("judge: a file is taken as well as what is pasted", () => desk(async (tab) => {
    await tab.goto("/panel/messages/judge");
    const file = { name: "message.eml", mimeType: "message/rfc822", buffer: Buffer.from(message("savings.example")) };
    await tab.locator("[name=file]").setInputFiles(file);
    await tab.locator("[name=recipient]").fill(`ann@${domain(house)}`);
    await tab.locator("[name=sender]").fill("dora@savings.example");
    await press(tab, "Test it");
    // Disowned, and here for the first time: it always is on trial.
    await sees(tab, /It would (be put off|go into Junk)/);
  }));
  await check("judge: what is not said and stands nowhere is asked for", () => desk(async (tab) => {
    await test(tab, { message: "Subject: x\n\nx\n", recipient: `ann@${domain(house)}` });
    await refused(tab, "No Received line tells the address", { recipient: `ann@${domain(house)}` });
  }));
  await check("judge: a message that is still here is judged again", () => desk(async (tab) => {
    await tab.goto("/panel/messages?subject=closed");
    await tab.locator("main tbody .row-link").first().click();
    await press(tab, "Judge again as of now");
    await sees(tab, "Judged again as of now");
    await sees(tab, "203.0.113.77");
  }));
}
