// One flow, from signing in to someone new, in three ways: by keyboard alone, without scripts, and in French throughout.
import { account, check, comeIn, domain, enter, expect, inTab, press, sees, told } from "../kit.mjs";
import { leftovers } from "../words.mjs";

export async function run(house, browser) {
  const home = domain(house);
  const owner = account(house, "owner");

  await check("ways: by keyboard alone, from signing in to someone new", () => inTab(browser, {}, async (tab) => {
    await tab.goto("/sign-in");
    // The first field has the focus already.
    await tab.keyboard.type(owner.address);
    await tab.keyboard.press("Tab");
    await tab.keyboard.type(owner.password);
    await tab.keyboard.press("Enter");
    await tab.waitForURL("**/panel");
    await reach(tab, ".skip, [href='#content'], [href='#main']");
    await reach(tab, ".rail a[href='/panel/people']");
    await tab.keyboard.press("Enter");
    await tab.waitForURL("**/panel/people");
    await reach(tab, "main a[href='/panel/people/new']");
    await tab.keyboard.press("Enter");
    await tab.waitForURL("**/panel/people/new");
    await tab.keyboard.type("Kay Board");
    await tab.keyboard.press("Tab");
    await tab.keyboard.type("kay");
    await tab.keyboard.press("Tab");
    await tab.keyboard.type(`@${home}`);
    await tab.keyboard.press("Tab");
    await tab.keyboard.press("ArrowDown");
    expect(await tab.locator("#way-password").isChecked(), "the arrow does not choose the next way");
    await reach(tab, "[name=password]");
    await tab.keyboard.type("seven slow turtles");
    await tab.keyboard.press("Enter");
    await told(tab, `kay@${home} is here`);
    await comeIn(await fresh(tab), { address: `kay@${home}`, password: "seven slow turtles" });
  }));

  await check("ways: without scripts, from signing in to someone new, and away again", () => inTab(browser, { js: false }, async (tab) => {
    await tab.goto("/panel/people/new");
    await enter(tab, owner);
    await tab.waitForURL("**/panel/people/new");
    await tab.locator("[name=local]").fill("noscript");
    await tab.locator("main select[name=domain]").selectOption(home);
    await tab.locator("#way-password").check();
    await tab.locator("[name=password]").fill("12345678");
    await press(tab, "Add a person");
    await tab.locator("[data-errors]").waitFor();
    await tab.locator("#way-password").check();
    await tab.locator("[name=password]").fill("seven slow turtles");
    await press(tab, "Add a person");
    await told(tab, `noscript@${home} is here`);
    await tab.goto(`/panel/people/noscript@${home}`);
    await press(tab, "Remove");
    await tab.waitForURL("**/remove");
    await tab.locator("[data-dialog-body] button[type=submit]").click();
    await told(tab, "can be restored for 30 days");
  }));

  await check("ways: in French, from signing in to someone new, with all that may go wrong", () => inTab(browser, { language: "fr" }, async (tab) => {
    const isFrench = async (where) => {
      const text = await tab.locator("body").innerText();
      const left = leftovers(text);
      expect(left.length === 0, `${where}: ${left.slice(0, 3).join(" | ")}`);
      expect((await tab.locator("html").getAttribute("lang")) === "fr", `${where}: the page is not French`);
    };
    const act = () => tab.locator("main form.fields button.is-primary").click();
    await tab.goto("/panel/people/new");
    await isFrench("signing in");
    await enter(tab, { address: owner.address, password: "pas le bon" });
    await tab.locator("[data-errors]").waitFor();
    await isFrench("a wrong password");
    await enter(tab, owner);
    await tab.waitForURL("**/panel/people/new");
    await isFrench("the form");
    await tab.locator("[name=local]").fill("deux mots@");
    await tab.locator("main select[name=domain]").selectOption(home);
    await tab.locator("[name=quota]").fill("beaucoup");
    await act();
    await tab.locator("[data-errors]").waitFor();
    await isFrench("a form that was refused");
    await tab.locator("[name=local]").fill("zoé");
    await tab.locator("[name=quota]").fill("2,5 Go");
    await act();
    await tab.waitForLoadState();
    await isFrench("what came of it");
    await tab.goto(`/panel/people/${encodeURIComponent(`zoé@${home}`)}`);
    await sees(tab, "2,5");
    await isFrench("the person's page");
    await tab.locator("main a[href$='/remove']").click();
    await tab.locator("[data-dialog-body]").waitFor();
    await isFrench("the question");
    await tab.locator("[data-dialog-body] button[type=submit]").click();
    await told(tab);
    await isFrench("the list after it");
  }));
}

// Presses Tab until the focus is there.
async function reach(tab, selector) {
  for (let press = 0; press < 80; press += 1) {
    if (await tab.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
    await tab.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${selector}`);
}

// The same window, with nobody signed in.
async function fresh(tab) {
  await tab.context().clearCookies();
  return tab;
}
