// The queue and the trace: mail that waits is held, released and removed, alone and together; and every message can be found.
import { account, check, confirm, expect, inTab, lacks, press, sees, told } from "../kit.mjs";
import { spawnSync } from "node:child_process";

const AWAY = "waits.example";
const PEOPLE = ["one", "two", "three"].map((name) => `${name}@${AWAY}`);
const SUBJECT = "Seeds for the spring";

export async function run(house, browser) {
  const owner = (act, how = {}) => inTab(browser, { role: "owner", ...how }, act);
  const choose = async (tab, rows, act) => {
    await tab.goto(`/panel/queue?destination=${AWAY}`);
    for (const row of rows) await tab.getByRole("checkbox", { name: row, exact: true }).check();
    await press(tab, act);
  };
  const stateOf = async (tab, recipient) => {
    await tab.goto(`/panel/queue?destination=${AWAY}`);
    return tab.locator("tr", { hasText: recipient }).locator(".badge").innerText();
  };

  await check("queue: mail for elsewhere waits in it", () => owner(async (tab) => {
    post(house, account(house, "user"), PEOPLE);
    await tab.goto(`/panel/queue?destination=${AWAY}`);
    for (const recipient of PEOPLE) await sees(tab, recipient);
    await tab.goto("/panel/queue?q=nobody-has-this-name");
    await sees(tab, "Nothing that waits looks like this");
  }));
  await check("queue: nothing chosen, nothing done", () => owner(async (tab) => {
    await choose(tab, [], "Hold");
    await tab.getByText("Nothing was chosen").first().waitFor();
  }));
  for (const js of [true, false]) {
    await check(`queue: two are held, and released again, ${js ? "with" : "without"} scripts`, () => owner(async (tab) => {
      await choose(tab, PEOPLE.slice(0, 2), "Hold");
      await told(tab, "2 recipients are held");
      expect((await stateOf(tab, PEOPLE[0])).trim() === "Held", `the first is ${await stateOf(tab, PEOPLE[0])}`);
      expect((await stateOf(tab, PEOPLE[2])).trim() !== "Held", "the third is held, too");
      await choose(tab, PEOPLE.slice(0, 2), "Release");
      await told(tab, "2 recipients go on now");
      expect((await stateOf(tab, PEOPLE[0])).trim() !== "Held", "it is still held");
    }, { js }));
  }
  await check("queue: all that a filter finds are held at once", () => owner(async (tab) => {
    await tab.goto(`/panel/queue?destination=${AWAY}`);
    await tab.locator("[name=whom]").selectOption("matching");
    await press(tab, "Hold");
    await told(tab, "3 recipients are held");
  }));
  await check("queue: removed after a question that names what goes", () => owner(async (tab) => {
    await choose(tab, [PEOPLE[2]], "Remove");
    await sees(tab, "Remove 1 entry from the queue?");
    await sees(tab, `Mail to ${PEOPLE[2]}`);
    await press(tab, "Cancel");
    await sees(tab, PEOPLE[2]);
    await choose(tab, [PEOPLE[2]], "Remove");
    await confirm(tab);
    await told(tab, "1 recipient was removed");
    await tab.goto(`/panel/queue?destination=${AWAY}`);
    await lacks(tab, PEOPLE[2]);
    await sees(tab, PEOPLE[0]);
  }));
  await check("messages: one is found by address and by subject, and its way is told step by step", () => owner(async (tab) => {
    await tab.goto("/panel/messages");
    await tab.locator("[name=address]").fill(PEOPLE[2]);
    await tab.locator("[name=subject]").fill("seeds spring");
    await press(tab, "Search");
    await tab.locator("main tbody").getByRole("link", { name: SUBJECT }).first().click();
    await sees(tab, "Its way, step by step");
    const steps = await tab.locator(".timeline h3").allInnerTexts();
    expect(steps.some((step) => step.includes("Accepted")), `its steps are ${steps.join(" | ")}`);
    expect(steps.some((step) => step.includes("Removed") && step.includes(PEOPLE[2])), `its steps are ${steps.join(" | ")}`);
    await press(tab, "In the queue");
    await tab.waitForURL("**/panel/queue/**");
  }));
  await check("messages: a time that is none is told and kept; what nobody wrote is not found", () => owner(async (tab) => {
    await tab.goto("/panel/messages?since=yesterday");
    await tab.locator("[data-errors]").waitFor();
    await tab.goto("/panel/messages?address=nobody-wrote@elsewhere.example");
    await sees(tab, "No such message");
  }));
  await check("messages: a person of another domain’s desk finds none of it", () => inTab(browser, { role: "user" }, async (tab) => {
    const answer = await tab.goto("/panel/messages");
    expect(answer.status() === 403 || answer.status() === 404, `a user is answered ${answer.status()}`);
  }));
}

// Submits one message to several, as a mail program does.
function post(house, { address, password }, recipients) {
  const { ca, ports } = house.facts;
  const text = `From: <${address}>\r\nTo: <${recipients.join(">, <")}>\r\nSubject: ${SUBJECT}\r\n\r\nIt is time.\r\n`;
  const to = recipients.flatMap((recipient) => ["--mail-rcpt", recipient]);
  const args = ["-sS", "--max-time", "20", "--cacert", ca, "--user", `${address}:${password}`, "--mail-from", address, ...to, "-T", "-"];
  const { status, stderr } = spawnSync("curl", [...args, `smtps://localhost:${ports.submissions}/`], { input: text, encoding: "utf8" });
  expect(status === 0, `curl: ${stderr}`);
}
