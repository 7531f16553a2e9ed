// App passwords: made, shown once, used by a mail program (curl over IMAP and SMTP with TLS), taken back, refused.
import { check, comeIn, confirm, expect, inTab, newcomer, outcome, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const me = await newcomer(house, browser, "theo");
  const { ca, ports } = house.facts;
  const door = (url, password) => outcome("curl", ["-sS", "--max-time", "10", "--cacert", ca, "--user", `${me.address}:${password}`, url]);
  const imap = (password) => door(`imaps://localhost:${ports.imaps}/`, password);
  const pop3 = (password) => door(`pop3s://localhost:${ports.pop3s}/`, password);

  await inTab(browser, {}, async (tab) => {
    let password = "";
    const ask = async (name, protocols) => {
      await tab.goto("/panel/account/app-passwords");
      await tab.locator("[name=name]").fill(name);
      for (const box of await tab.locator("[name=protocols]").all()) {
        await box.setChecked(protocols.includes(await box.getAttribute("value")));
      }
      await press(tab, "Make an app password");
    };
    await comeIn(tab, me);

    await check("app password: for nothing, it is not made", async () => {
      await ask("Thunderbird, laptop", []);
      await refused(tab, "Choose at least one thing", { name: "Thunderbird, laptop" });
    });
    await check("app password: it is shown, once", async () => {
      await ask("Thunderbird, laptop", ["imap"]);
      await sees(tab, "it is not shown again");
      password = (await tab.locator(".copy.is-secret code").innerText()).trim();
      expect(password.length >= 16, `“${password}” is short`);
      await press(tab, "Done");
      await sees(tab, "Thunderbird, laptop");
      expect(!(await tab.content()).includes(password), "it is shown again");
    });
    await check("app password: another of its name is refused", async () => {
      await ask("Thunderbird, laptop", ["imap"]);
      await refused(tab, "You already have one of this name", { name: "Thunderbird, laptop" });
    });
    await check("app password: a mail program reads with it, and its use is seen", async () => {
      const { code, text } = imap(password);
      expect(code === 0 && text.includes("INBOX"), text);
      await tab.goto("/panel/account/app-passwords");
      const row = tab.locator("tr", { hasText: "Thunderbird, laptop" });
      expect(!(await row.innerText()).includes("never"), "it has never been used, it says");
    });
    await check("app password: it opens no door that it is not for", async () => {
      expect(pop3(password).code !== 0, "POP3 let it in");
      await inTab(browser, {}, async (other) => {
        await other.goto("/sign-in");
        await other.locator("input[autocomplete~=username]").fill(me.address);
        await other.locator("input[autocomplete=current-password]").fill(password);
        await press(other, "Sign in");
        await refused(other, "The address or the password is not right");
      });
    });
    await check("app password: taken back, it is refused", async () => {
      await tab.goto("/panel/account/app-passwords");
      await press(tab, "Remove");
      await confirm(tab);
      await told(tab, "is gone");
      const { code } = imap(password);
      expect(code !== 0, "it still opens the mailbox");
      expect(imap(me.password).code === 0, "the person's own password is refused, too");
    });
  });
}
