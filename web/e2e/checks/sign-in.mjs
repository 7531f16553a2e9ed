// Signing in and out, as a person does it: with a wrong password first, by keyboard alone, without scripts.
import { account, check, expect } from "../kit.mjs";

const ROLE = "owner";
const NAME = "input[autocomplete~=username]";
const PASSWORD = "input[autocomplete=current-password]";

export async function run(house, browser) {
  const visit = async (how, act) => {
    const context = await browser.visitor(how);
    try {
      await act(await context.newPage());
    } finally {
      await context.close();
    }
  };
  const me = () => account(house, ROLE);

  await check("sign-in: a closed page leads there and back", () => visit({}, async (tab) => {
    await tab.goto("/panel/queue");
    expect(new URL(tab.url()).pathname === "/sign-in", `it led to ${tab.url()}`);
    await enter(tab, me().address, me().password);
    await tab.waitForURL("**/panel/queue");
  }));
  for (const js of [true, false]) {
    await check(`sign-in: a wrong password is told beside the field, ${js ? "with" : "without"} scripts`, () => visit({ js }, async (tab) => {
      await tab.goto("/sign-in");
      await enter(tab, me().address, "not the password");
      await tab.locator("[aria-invalid=true], [role=alert]").first().waitFor();
      expect(new URL(tab.url()).pathname === "/sign-in", `it led to ${tab.url()}`);
      expect((await tab.locator(NAME).inputValue()) === me().address, "what was typed is gone");
      expect((await tab.locator(PASSWORD).inputValue()) === "", "the password came back");
      expect((await tab.locator("[role=alert]").innerText()).trim() !== "", "nothing is said");
    }));
  }
  await check("sign-in: by keyboard alone", () => visit({}, async (tab) => {
    await tab.goto("/sign-in");
    await tab.locator(NAME).focus();
    await tab.keyboard.type(me().address);
    await tab.keyboard.press("Tab");
    await tab.keyboard.type(me().password);
    await tab.keyboard.press("Enter");
    await tab.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  }));
  await check("sign-in: without scripts, and out again", () => visit({ js: false }, async (tab) => {
    await tab.goto("/sign-in");
    await enter(tab, me().address, me().password);
    await tab.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    await tab.locator(".rail summary.person").click();
    await tab.locator(".rail form[action='/sign-out'] button").click();
    await tab.waitForURL("**/sign-in");
    await tab.goto("/panel");
    expect(new URL(tab.url()).pathname === "/sign-in", "still signed in");
  }));
  await check("sign-in: a form without its token changes nothing", () => visit({}, async (tab) => {
    await tab.goto("/sign-in");
    await tab.locator(`form:has(${PASSWORD}) input[name=csrf]`).evaluate((field) => (field.value = "of another page"));
    await enter(tab, me().address, me().password);
    await tab.waitForLoadState();
    await tab.goto("/panel");
    expect(new URL(tab.url()).pathname === "/sign-in", "it was taken");
  }));
}

async function enter(tab, name, password) {
  await tab.locator(NAME).fill(name);
  await tab.locator(PASSWORD).fill(password);
  await tab.locator(`form:has(${PASSWORD}) button[type=submit]`).click();
}
