// Teams and shared folders: two people and a team, from the panel to the message that goes out in its name.
import { ask, check, comeIn, confirm, domain, expect, inTab, lacks, newcomer, press, refused, sees, told } from "../kit.mjs";
import { deliver } from "./webmail.mjs";

export async function run(house, browser) {
  const home = domain(house);
  const [heron, stork] = [await newcomer(house, browser, "heron"), await newcomer(house, browser, "stork")];
  const team = `birds@${home}`;
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const as = (who, act, how = {}) => inTab(browser, how, async (tab, context) => {
    await comeIn(tab, who);
    return act(tab, context);
  });
  const join = (tab, who, level, sends) => tab.goto(`/panel/teams/${team}`).then(async () => {
    await tab.locator("main input[name=with]:not([type=hidden])").fill(who.address);
    await tab.locator("main select[name=level]").selectOption(level);
    await tab.locator("main select[name=sends]").selectOption(sends);
    await press(tab, "Add or change");
    await told(tab, "is in the team");
  });
  const shared = (tab, title) => tab.locator("aside .folders .folders-owner + ul").first().getByRole("link", { name: title });

  await check("sharing: a team is made, and people are in it", () => owner(async (tab) => {
    await tab.goto("/panel/teams/new");
    await tab.locator("[name=local]").fill("birds");
    await tab.locator("main select[name=domain]").selectOption(home);
    await tab.locator("[name=name]").fill("Birds");
    await press(tab, "Make a team");
    await told(tab, "is here");
    await sees(tab, "Nobody is in it yet");
    await join(tab, heron, "write", "as");
    await join(tab, stork, "read", "on_behalf");
    await sees(tab, "on behalf of this address");
    await tab.locator("main input[name=with]:not([type=hidden])").fill(`nobody-here@${home}`);
    await press(tab, "Add or change");
    await refused(tab, "Nobody here is called", { with: `nobody-here@${home}` });
    await tab.goto("/panel/people?q=birds");
    await lacks(tab, team);
  }));
  await check("sharing: mail to the team is unread for each by themselves", async () => {
    await as(heron, async (tab) => {
      deliver(house, { address: team }, "Nest offer", "Twigs, a hundred\r\n", "<nest@x.example>");
      await tab.goto("/mail");
      await shared(tab, "Inbox").click();
      await tab.locator(".line a", { hasText: "Nest offer" }).first().click();
      await tab.locator(".message h1", { hasText: "Nest offer" }).waitFor();
      await tab.locator(".message").getByRole("button", { name: "Archive" }).waitFor();
    });
    await as(stork, async (tab) => {
      await tab.goto("/mail");
      expect((await shared(tab, "Inbox").locator(".count").innerText()) === "1", "who has read nothing has nothing unread");
      await shared(tab, "Inbox").click();
      await tab.locator(".line a", { hasText: "Nest offer" }).first().click();
      await tab.locator(".message h1", { hasText: "Nest offer" }).waitFor();
      for (const name of ["Archive", "Delete", "Star"]) {
        const count = await tab.locator(".message").getByRole("button", { name, exact: true }).count();
        expect(count === 0, `who only reads is offered “${name}”`);
      }
      const acts = await tab.locator("form[data-acts]").first().getAttribute("action");
      const csrf = await tab.locator("form[data-acts] [name=csrf]").first().inputValue();
      const forged = await ask(tab, acts, { csrf, uid: "1", act: "delete", whom: "one" });
      expect(forged.status === 403 && forged.text.includes("You may not do that"), `a forged form answers ${forged.status}`);
    });
  });
  // What is sent goes at once.
  await as(stork, async (tab) => {
    await tab.goto("/mail/identities");
    await tab.locator("[name=undo]").selectOption("0");
    await tab.locator("form[action='/mail/identities/choices'] button").click();
    await told(tab, "Kept");
  });
  await check("sharing: what is written on a team's behalf says who wrote it", () => as(stork, async (tab) => {
    await tab.goto("/mail/write");
    const from = tab.locator("[name=from]");
    await from.locator("option", { hasText: "on behalf" }).waitFor({ state: "attached" });
    await from.selectOption({ label: `Birds <${team}> (on behalf)` });
    await tab.locator("[name=to]").fill(heron.address);
    await tab.locator("[name=subject]").fill("In their name");
    await press(tab, "Send");
    await told(tab);
    await as(heron, async (other) => {
      await other.goto("/mail");
      await other.locator(".line a", { hasText: "In their name" }).first().click();
      await other.locator(".message-people summary").click();
      await other.locator(".message-people", { hasText: stork.address }).waitFor();
    });
  }));
  await check("sharing: a folder is shared, seen, and shared no longer", async () => {
    const form = async (tab, act) => {
      await tab.goto("/mail/sharing");
      await tab.locator("main li", { hasText: "Archive" }).getByRole("link").click();
      await act(tab);
    };
    await as(heron, (tab) => form(tab, async () => {
      await tab.locator("main input[name=with]:not([type=hidden])").fill(stork.address);
      await tab.locator("main select[name=level]").selectOption("mark");
      await press(tab, "Share");
      await told(tab, "Shared with");
      await sees(tab, "read and mark");
    }));
    await as(stork, async (tab) => {
      await tab.goto("/mail");
      await tab.locator("aside .folders-owner", { hasText: heron.address }).waitFor();
    });
    await as(heron, (tab) => form(tab, async () => {
      await press(tab, `End ${stork.address}`);
      await told(tab, "No longer shared");
    }));
    await as(stork, async (tab) => {
      await tab.goto("/mail");
      expect((await tab.locator("aside .folders-owner", { hasText: heron.address }).count()) === 0, "it is still there");
    });
  });
  await check("sharing: a team is removed with its question", () => owner(async (tab) => {
    await tab.goto(`/panel/teams/${team}`);
    await press(tab, "Remove the team");
    await confirm(tab);
    await told(tab, "is removed");
  }));
}
