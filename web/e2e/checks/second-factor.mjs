// Two-step sign-in, with a person's own authenticator (oathtool): set up, used, its codes once only, and turned off after proof.
import { age, at, check, comeIn, confirm, enter, expect, inTab, newcomer, outcome, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const me = await newcomer(house, browser, "nadia");
  let secret = "";
  let recovery = [];
  const second = async (tab, code) => {
    await tab.locator("[name=code]").fill(code);
    await press(tab, "Sign in");
  };

  await check("second factor: a wrong first code turns nothing on, the right one shows recovery codes", () => inTab(browser, {}, async (tab) => {
    await comeIn(tab, me);
    await tab.goto("/panel/account/second-factor");
    await press(tab, "Set it up");
    secret = (await tab.locator("[data-copy] code").innerText()).replaceAll(" ", "");
    const picture = await tab.locator("img.qr").evaluate((drawn) => drawn.naturalWidth);
    expect(picture > 0, "the picture does not load");
    await tab.locator("[name=code]").fill("000000");
    await press(tab, "Turn it on");
    await refused(tab, "The code is not right");
    await tab.locator("[name=code]").fill(totp(secret, -30));
    await press(tab, "Turn it on");
    await tab.locator(".codes").waitFor();
    recovery = await tab.locator(".codes code").allInnerTexts();
    expect(recovery.length >= 8, `${recovery.length} recovery codes`);
    await press(tab, "I have kept them");
    await sees(tab, "Two-step sign-in is on");
    expect(!(await tab.content()).includes(recovery[0]), "the recovery codes are shown again");
  }));

  await check("second factor: a code signs in once, and leads to where one wanted to go", () => inTab(browser, {}, async (tab) => {
    await tab.goto("/panel/account/sessions");
    await enter(tab, me);
    await sees(tab, "One more step");
    await tab.goto("/panel/account");
    expect(!new URL(tab.url()).pathname.startsWith("/panel"), "half a sign-in opens the account");
    await tab.goto("/panel/account/sessions");
    await enter(tab, me);
    await tab.locator("[name=code]").waitFor();
    const code = totp(secret, 0);
    await second(tab, code);
    await tab.waitForURL("**/panel/account/sessions");
    await inTab(browser, {}, async (other) => {
      await other.goto("/sign-in");
      await enter(other, me);
      await second(other, code);
      await refused(other, "The code is not right, or it was used before");
    });
  }));

  for (const [nth, does] of [["first", "opens"], ["second", "is refused"]]) {
    await check(`second factor: a recovery code, the ${nth} time, ${does}`, () => inTab(browser, {}, async (tab) => {
      await tab.goto("/sign-in");
      await enter(tab, me);
      await second(tab, recovery[0]);
      if (nth === "second") return refused(tab, "The code is not right, or it was used before");
      await tab.waitForURL("**/mail");
      await tab.goto("/panel/account/second-factor");
      await sees(tab, `${recovery.length - 1} recovery codes are left`);
    }));
  }

  await check("second factor: it is turned off, but not by a session that has long been open", () => inTab(browser, {}, async (tab) => {
    await tab.goto("/sign-in");
    await enter(tab, me);
    await second(tab, recovery[1]);
    await tab.waitForURL("**/mail");
    age(house, `UPDATE session SET proved_at = 0 WHERE account_key = (SELECT account_key FROM account WHERE address = '${me.address}')`);
    await tab.goto("/panel/account/second-factor/remove");
    await confirm(tab);
    await sees(tab, "Is it still you?");
    await tab.locator("[name=password]").fill("not the password");
    await press(tab, "Go on");
    await tab.locator("[data-errors]").waitFor();
    await tab.locator("[name=password]").fill(me.password);
    await press(tab, "Go on");
    await tab.waitForURL("**/panel/account/second-factor/remove");
    await confirm(tab);
    await told(tab, "Two-step sign-in is off.");
  }));

  await check("second factor: the password alone opens the account again", () => inTab(browser, {}, async (tab) => {
    await comeIn(tab, me);
    at(tab, "/mail");
  }));
}

// What an authenticator shows so many seconds from now.
function totp(secret, seconds) {
  const when = new Date(Date.now() + seconds * 1000).toISOString().replace("T", " ").slice(0, 19);
  const { code, text } = outcome("oathtool", ["--totp", "--base32", "--now", `${when} UTC`, secret]);
  expect(code === 0, `oathtool: ${text}`);
  return text.trim();
}
