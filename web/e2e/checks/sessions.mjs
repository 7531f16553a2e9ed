// Sessions: one browser ends another's, and a new password ends all others.
import { check, comeIn, expect, inTab, newcomer, press, refused, told } from "../kit.mjs";

export async function run(house, browser) {
  const me = await newcomer(house, browser, "sofia");
  const isOut = async (tab) => {
    await tab.goto("/panel/account");
    return new URL(tab.url()).pathname === "/sign-in";
  };

  await check("sessions: a second browser is ended from the first, and comes back to its page by signing in", () => inTab(browser, {}, (mine) =>
    inTab(browser, {}, async (other) => {
      await comeIn(mine, me);
      await comeIn(other, me);
      await mine.goto("/panel/account/sessions");
      const rows = await mine.locator("main tbody tr").count();
      expect(rows === 2, `${rows} sessions`);
      expect((await mine.getByText("this one").count()) === 1, "this one is not marked");
      await press(mine, "End");
      await told(mine, "has ended");
      await other.goto("/panel/account/app-passwords");
      expect(new URL(other.url()).pathname === "/sign-in", "the other is still in");
      expect(!(await isOut(mine)), "the first was ended, too");
      await other.goto("/panel/account/app-passwords");
      await other.locator("input[autocomplete~=username]").fill(me.address);
      await other.locator("input[autocomplete=current-password]").fill(me.password);
      await press(other, "Sign in");
      await other.waitForURL("**/panel/account/app-passwords");
    })));

  await check("sessions: a form that is sent after the end of its session is not lost without a word", () => inTab(browser, {}, (mine) =>
    inTab(browser, {}, async (other) => {
      await comeIn(mine, me);
      await comeIn(other, me);
      await other.goto("/panel/account");
      await mine.goto("/panel/account/sessions");
      await press(mine, "End all others");
      await told(mine);
      await other.locator("[name=name]").fill("Somebody else");
      await press(other, "Save");
      await other.waitForURL("**/sign-in**");
      await mine.goto("/panel/account");
      expect((await mine.locator("main [name=name]").inputValue()) !== "Somebody else", "the form was taken");
    })));

  await check("sessions: a password that is too weak, or not said twice, is refused; a new one ends the others", () => inTab(browser, {}, (mine) =>
    inTab(browser, {}, async (other) => {
      await comeIn(mine, me);
      await comeIn(other, me);
      const set = async (old, password, again) => {
        await mine.goto("/panel/account/password");
        await mine.locator("[name=old_password]").fill(old);
        await mine.locator("[name=password]").fill(password);
        await mine.locator("[name=again]").fill(again);
        await press(mine, "Set the password");
      };
      await set("not the password", "a new one for sofia", "a new one for sofia");
      await mine.locator("[data-errors]").waitFor();
      await set(me.password, "12345678", "12345678");
      await refused(mine, "This password is among those that everybody tries first");
      await set(me.password, "a new one for sofia", "another one for sofia");
      await refused(mine, "The two passwords are not the same");
      await set(me.password, "a new one for sofia", "a new one for sofia");
      await told(mine, "Your password is changed");
      expect(await isOut(other), "the other session goes on");
      expect(!(await isOut(mine)), "this session was ended");
    })));
}
