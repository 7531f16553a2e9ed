// Activity: what was done stands there with before and after, and is undone.
import { account, check, domain, expect, inTab, press, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const home = domain(house);
  const { name: _, address } = account(house, "owner");
  const owner = (act) => inTab(browser, { role: "owner" }, act);

  await check("activity: a change is undone, once, and that is written down, too", () => owner(async (tab) => {
    await tab.goto("/panel/addresses/new");
    await tab.locator("[name=local]").fill("undone");
    await tab.locator("main select[name=domain]").selectOption(home);
    await tab.locator("[name=targets]").fill(address);
    await press(tab, "Add an alias");
    await told(tab);
    await tab.goto(`/panel/activity?subject=undone@${home}`);
    await tab.locator("main tbody .row-link").first().click();
    await sees(tab, address);
    const entry = tab.url();
    await press(tab, "Undo");
    await told(tab, "It is undone.");
    const gone = await tab.goto(`/panel/addresses/undone@${home}`);
    expect(gone.status() === 404, `the alias answers ${gone.status()}`);
    await tab.goto(entry);
    await sees(tab, "undone");
    expect((await tab.locator("main").getByRole("button", { name: "Undo" }).count()) === 0, "it can be undone again");
    await tab.goto(`/panel/activity?subject=undone@${home}`);
    expect((await tab.locator("main tbody tr").count()) === 2, "the undoing is not written down");
  }));
  await check("activity: a change that another came after is not undone over it", () => owner(async (tab) => {
    const say = async (description) => {
      await tab.goto(`/panel/domains/${home}`);
      await tab.locator("[name=description]").fill(description);
      await press(tab, "Save");
      await told(tab);
    };
    await say("First words");
    await say("Second words");
    await tab.goto(`/panel/activity?subject=${home}&act=domain`);
    await tab.locator("main tbody .row-link").nth(1).click();
    await press(tab, "Undo");
    await tab.getByText("has been changed since").first().waitFor();
    await tab.goto(`/panel/domains/${home}`);
    expect((await tab.locator("[name=description]").inputValue()) === "Second words", "the later change is lost");
  }));
  await check("activity: a filter finds nothing, and says so", () => owner(async (tab) => {
    await tab.goto("/panel/activity?author=nobody-has-this-name");
    await sees(tab, "Nothing matches");
  }));
}
