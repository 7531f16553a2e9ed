// Wrong input of other kinds: a forged form, a form of another browser, one that is far too large, a path out of this world.
import { account, ask, at, check, domain, expect, inTab, sees } from "../kit.mjs";

export async function run(house, browser) {
  const victim = account(house, "user").address;
  const home = domain(house);
  const count = (tab) => ask(tab, `/panel/people?q=forged@${home}`).then(({ text }) => text);

  await check("wrong input: a form with a wrong token, or none, changes nothing", () => inTab(browser, { role: "owner" }, async (tab) => {
    await tab.goto("/panel");
    for (const csrf of ["", "0123456789abcdef", undefined]) {
      const form = { local: "forged", domain: home, way: "password", password: "seven slow turtles", ...(csrf === undefined ? {} : { csrf }) };
      const { status } = await ask(tab, "/panel/people/new", form);
      expect(status >= 400 && status < 500, `it is answered ${status}`);
    }
    expect((await count(tab)).includes("Nothing matches"), "someone was added");
  }));
  await check("wrong input: another browser’s token is not this one’s", () => inTab(browser, { role: "user" }, async (theirs) => {
    await theirs.goto("/panel/account");
    const csrf = await theirs.locator("[name=csrf]").first().inputValue();
    await inTab(browser, { role: "owner" }, async (tab) => {
      await tab.goto("/panel");
      const { status } = await ask(tab, `/panel/people/${victim}/suspend`, { csrf });
      expect(status >= 400 && status < 500, `it is answered ${status}`);
      await tab.goto(`/panel/people/${victim}`);
      expect((await tab.getByText("This person is suspended").count()) === 0, "they were suspended");
    });
  }));
  await check("wrong input: a form of ten megabytes is refused in words", () => inTab(browser, { role: "owner" }, async (tab) => {
    await tab.goto("/panel/people/new");
    await tab.locator("main [name=name]").evaluate((field) => (field.value = "x".repeat(10_000_000)));
    await tab.locator("main [name=local]").fill("forged");
    await tab.locator("form.fields button.is-primary").click();
    await sees(tab, "The form is too large");
    expect((await count(tab)).includes("Nothing matches"), "someone was added");
  }));
  await check("wrong input: what is typed is shown as text", () => inTab(browser, { role: "owner" }, async (tab) => {
    const nasty = "<img src=x onerror=alert(1)>\"'&";
    let isRun = false;
    tab.on("dialog", (dialog) => {
      isRun = true;
      return dialog.dismiss();
    });
    await tab.goto(`/panel/people?q=${encodeURIComponent(nasty)}`);
    expect((await tab.locator("[name=q]").inputValue()) === nasty, "it came back changed");
    await tab.goto("/panel/people/new");
    await tab.locator("main [name=name]").fill(nasty);
    await tab.locator("main [name=local]").fill("no one@");
    await tab.locator("form.fields button.is-primary").click();
    await tab.locator("[data-errors]").waitFor();
    expect((await tab.locator("main [name=name]").inputValue()) === nasty, "it came back changed");
    expect(!isRun && (await tab.locator("main img[src=x]").count()) === 0, "it became a part of the page");
  }));
  await check("wrong input: after signing in, nobody is led to another host", () => inTab(browser, {}, async (tab) => {
    const me = account(house, "user");
    for (const next of ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"]) {
      await tab.context().clearCookies();
      await tab.goto(`/sign-in?next=${encodeURIComponent(next)}`);
      await tab.locator("input[autocomplete~=username]").fill(me.address);
      await tab.locator("input[autocomplete=current-password]").fill(me.password);
      await tab.locator("form:has(input[autocomplete=current-password]) button[type=submit]").click();
      await tab.waitForURL("**/panel/account");
      at(tab, "/panel/account");
    }
  }));
  await check("wrong input: strange paths and questions get a page, not a fault", () => inTab(browser, { role: "owner" }, async (tab) => {
    await tab.goto("/panel");
    const paths = [
      "/panel/people/%00", "/panel/people/..%2f..%2fetc", "/panel/people/a@b@c", "/panel/domains/%F0%9F%92%A9", "/panel/queue/0", "/panel/queue/zzz",
      "/panel/messages/-1", "/panel/activity/99999999999999999999", "/panel/webhooks/x", "/panel/settings/none", "/panel/people?after=rubbish",
      "/panel/queue?state=none", "/panel/people?sort=none", "/panel/activity?since=never", "/panel/messages?id=%00",
    ];
    for (const path of paths) {
      const { status, text } = await ask(tab, path);
      expect(status < 500, `${path} is answered ${status}`);
      expect(status === 0 || text.includes("<h1"), `${path} is answered without a page`);
    }
  }));
}
