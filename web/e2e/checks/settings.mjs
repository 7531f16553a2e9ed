// Settings: a bad value is told and kept, a good one is in force at once, and can be taken back.
import { account, check, expect, inTab, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const field = (tab, name) => tab.locator(`main [name="${name}"]`).first();

  await check("settings: a bad value is told beside its field, and nothing of the form is lost or done", () => owner(async (tab) => {
    await tab.goto("/panel/settings/sign-in");
    const before = await field(tab, "password.minimum_length").inputValue();
    await field(tab, "password.minimum_length").fill("many");
    await press(tab, "Save");
    await refused(tab, "", { "password.minimum_length": "many" });
    await tab.locator("[name='password.minimum_length'][aria-invalid=true]").waitFor();
    await tab.goto("/panel/settings/sign-in");
    expect((await field(tab, "password.minimum_length").inputValue()) === before, "it was changed");
  }));
  await check("settings: a good value is in force at once", () => owner(async (tab) => {
    await tab.goto("/panel/settings/sign-in");
    await field(tab, "password.minimum_length").fill("15");
    await press(tab, "Save");
    await told(tab, "1 setting has changed");
    await tab.goto("/panel/people/new");
    await tab.locator("[name=local]").fill("short");
    await tab.locator("#way-password").check();
    await tab.locator("[name=password]").fill("eleven char");
    await press(tab, "Add a person");
    await refused(tab, "at least 15 characters");
  }));
  await check("settings: it is taken back, and the page says that nobody has changed it", () => owner(async (tab) => {
    await tab.goto("/panel/settings/sign-in");
    await tab.locator("button[name=reset][value='password.minimum_length']").click();
    await told(tab, "as if nobody had set it");
    expect((await field(tab, "password.minimum_length").inputValue()) === "8", "the default is not back");
  }));
  await check("settings: saved as they are, nothing has changed", () => owner(async (tab) => {
    for (const section of ["house", "mail", "sign-in", "keeping", "programs", "warnings"]) {
      await tab.goto(`/panel/settings/${section}`);
      await press(tab, "Save");
      await told(tab, "Nothing was different");
    }
  }));
  await check("settings: one is found by its words", () => owner(async (tab) => {
    await tab.goto("/panel/settings");
    await tab.keyboard.press("/");
    await tab.keyboard.type("largest message");
    await tab.keyboard.press("Enter");
    await tab.locator("main tbody").getByRole("link").first().click();
    await tab.waitForURL("**/panel/settings/mail#mail.message_octets");
    await tab.goto("/panel/settings?q=zebra");
    await sees(tab, "No such setting");
  }));
  await check("settings: nobody but an owner sees or sets them", async () => {
    expect(account(house, "domain_admin").address !== account(house, "owner").address, "the demo has one person for both");
    for (const role of ["domain_admin", "help_desk", "user"]) {
      await inTab(browser, { role }, async (tab) => {
        const answer = await tab.goto("/panel/settings");
        expect(answer.status() === 403, `${role} is answered ${answer.status()}`);
        await sees(tab, "Your role does not allow this");
      });
    }
  });
}
