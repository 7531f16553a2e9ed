// Invitations and receipts: what is shown, what is answered, and that nobody is told anything by itself.
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { deliver, line, told } from "./webmail.mjs";

const meeting = (who, method, sequence, organizer = "visitor@x.example") =>
  `BEGIN:VCALENDAR\r\nMETHOD:${method}\r\nBEGIN:VEVENT\r\nUID:lunch@x.example\r\nSEQUENCE:${sequence}\r\nSUMMARY:Lunch by the lake\r\nLOCATION:Café\r\n` +
  `DTSTART;TZID=Europe/Paris:20301127T120000\r\nDTEND;TZID=Europe/Paris:20301127T133000\r\nORGANIZER;CN=Visitor:mailto:${organizer}\r\n` +
  `ATTENDEE;PARTSTAT=ACCEPTED:mailto:carl@x.example\r\nATTENDEE;RSVP=TRUE:mailto:${who}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;

export async function run(house, browser) {
  const guest = await newcomer(house, browser, "magpie");
  const mine = (act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, guest);
    return act(tab, context);
  });
  const invite = (subject, id, ...how) =>
    deliver(house, guest, subject, meeting(guest.address, ...how), id, `Content-Type: text/calendar; method=${how[0]}; charset=utf-8\r\n`);
  invite("Lunch?", "<invite-1@x.example>", "REQUEST", 0);
  invite("Not from me", "<invite-2@x.example>", "REQUEST", 0, "somebody@else.example");
  for (const js of [true, false]) {
    await check(`invitations: what, when, where and who are shown, and answered, ${js ? "with" : "without"} scripts`, () => mine(async (tab) => {
      await tab.goto("/mail");
      await line(tab, "Lunch?").click();
      const card = tab.locator(".invitation");
      await card.locator("h2", { hasText: "Lunch by the lake" }).waitFor();
      const when = await card.locator("time").first().innerText();
      expect(js ? /2030/.test(when) && !/UTC/.test(when) : when === "2030-11-27 11:00 UTC", `when: ${when}`);
      const until = await card.locator("time").nth(1).innerText();
      expect(!js || !/2030/.test(until), `the day is said twice: ${until}`);
      expect((await tab.getByText("File without a name").count()) === 0, "its file is listed, too");
      await card.getByText("Café").waitFor();
      await card.locator(".attendees summary").click();
      expect((await card.locator(".attendees li").count()) === 2, "not all who are invited");
      const answer = js ? "Maybe" : "Accept";
      await card.getByRole("button", { name: answer, exact: true }).click();
      await told(tab, "visitor@x.example is told");
      await tab.locator(".invitation button[aria-pressed=true]", { hasText: answer }).waitFor();
    }, { js }));
  }
  await check("invitations: one that isn't from who invites is said so, and can't be answered", () => mine(async (tab) => {
    await tab.goto("/mail");
    await line(tab, "Not from me").click();
    await tab.locator(".invitation", { hasText: "isn’t who invites" }).waitFor();
    expect((await tab.locator(".invitation form").count()) === 0, "it can be answered");
  }));
  await check("invitations: what is called off says so, in the older message too", () => mine(async (tab) => {
    invite("Off", "<invite-3@x.example>", "CANCEL", 1);
    await tab.goto("/mail");
    await line(tab, "Off").click();
    await tab.locator(".invitation", { hasText: "Cancelled" }).waitFor();
    await tab.goto("/mail");
    await line(tab, "Lunch?").click();
    await tab.locator(".invitation", { hasText: "called off" }).waitFor();
    expect((await tab.locator(".invitation form").count()) === 0, "it can be answered");
  }));
  for (const [answer, says] of [["Send a receipt", "The receipt is sent"], ["Don’t", "No receipt is sent"]]) {
    await check(`receipts: asked once: ${answer}`, () => mine(async (tab) => {
      const subject = `Read me: ${says}`;
      deliver(house, guest, subject, "Please.\r\n", `<receipt-${says.length}@x.example>`, "Disposition-Notification-To: visitor@x.example\r\n");
      await tab.goto("/mail");
      await line(tab, subject).click();
      const bar = tab.locator(".pictures", { hasText: "asks to be told" });
      await bar.waitFor();
      await bar.getByRole("button", { name: answer, exact: true }).click();
      await told(tab, says);
      await tab.goto("/mail");
      await line(tab, subject).click();
      await tab.locator(".message h1", { hasText: subject }).waitFor();
      expect((await tab.locator(".pictures", { hasText: "asks to be told" }).count()) === 0, "it is asked again");
    }));
  }
}
