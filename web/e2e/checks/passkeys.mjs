// Passkeys, with a virtual authenticator of the browser's: added, used without a name, renamed, removed.
import { at, check, comeIn, confirm, expect, inTab, newcomer, press, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const me = await newcomer(house, browser, "petra");
  await inTab(browser, {}, async (tab) => {
    const keys = await authenticator(tab);

    await check("passkey: without one, none opens the door", async () => {
      await tab.goto("/sign-in");
      await tab.locator("[data-passkey=sign-in]").waitFor();
      expect((await tab.locator("[data-passkey=sign-in] button").count()) === 1, "no button");
    });
    await check("passkey: one is added", async () => {
      await comeIn(tab, me);
      await tab.goto("/panel/account/passkeys");
      await tab.locator("form[data-passkey=register] [name=name]").fill("A key of steel");
      await press(tab, "Add a passkey");
      await told(tab, "A key of steel");
      expect((await keys.kept()) === 1, "the authenticator keeps none");
    });
    await check("passkey: it signs in, without a name or a password", async () => {
      await signOut(tab);
      await tab.goto("/sign-in?next=/panel/account/passkeys");
      await press(tab, "Sign in with a passkey");
      await tab.waitForURL("**/panel/account/passkeys");
      const name = await tab.locator("form.affix [name=name]").inputValue();
      expect(name === "A key of steel", `it is called “${name}”`);
    });
    await check("passkey: it is renamed", async () => {
      await tab.locator("form.affix [name=name]").fill("Petra’s phone");
      await press(tab, "Rename");
      await told(tab, "Petra’s phone");
      await tab.reload();
      const name = await tab.locator("form.affix [name=name]").inputValue();
      expect(name === "Petra’s phone", `it is called “${name}”`);
    });
    await check("passkey: it does not sign in somebody whom it does not know, who can try again", async () => {
      await signOut(tab);
      await keys.verify(false);
      await tab.goto("/sign-in");
      const asked = tab.waitForResponse("**/sign-in/passkey/options");
      await press(tab, "Sign in with a passkey");
      await asked;
      await tab.locator("form[data-passkey=sign-in] button:not([aria-busy])").waitFor();
      at(tab, "/sign-in");
      await keys.verify(true);
      await press(tab, "Sign in with a passkey");
      await tab.waitForURL((url) => url.pathname.startsWith("/mail"));
      await signOut(tab);
    });
    await check("passkey: once removed, it opens nothing", async () => {
      await comeIn(tab, me);
      await tab.goto("/panel/account/passkeys");
      await press(tab, "Remove");
      await confirm(tab);
      await told(tab, "The passkey is gone.");
      await sees(tab, "No passkeys yet");
      await signOut(tab);
      await tab.goto("/sign-in");
      await press(tab, "Sign in with a passkey");
      await sees(tab, "This passkey opens nothing here");
      expect(new URL(tab.url()).pathname.startsWith("/sign-in"), `it led to ${tab.url()}`);
    });
  });
}

// A security key that this tab's browser has: it knows its owner, and keeps what it is given.
export async function authenticator(tab) {
  const wire = await tab.context().newCDPSession(tab);
  await wire.send("WebAuthn.enable");
  const options = {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  const { authenticatorId } = await wire.send("WebAuthn.addVirtualAuthenticator", { options });
  return {
    kept: async () => (await wire.send("WebAuthn.getCredentials", { authenticatorId })).credentials.length,
    verify: (isUserVerified) => wire.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  };
}

async function signOut(tab) {
  await tab.goto("/panel/account");
  await tab.locator(".rail summary.person").click();
  await tab.locator(".rail form[action='/sign-out'] button").click();
  await tab.waitForURL("**/sign-in");
}
