// Language and theme, chosen on the sign-in page: at once with scripts, by a new page without, and kept.
import { check, expect } from "../kit.mjs";

export async function run(_house, browser) {
  for (const js of [true, false]) {
    const how = js ? "with" : "without";
    await check(`look: dark is chosen ${how} scripts and kept`, () => choose(browser, js, async (tab) => {
      // With scripts the page changes at once, and the choice is kept in the background.
      const kept = tab.waitForResponse("**/look");
      await tab.locator("button[name=theme][value=dark]").click();
      const status = (await kept).status();
      expect(status === 303, `/look answers ${status}`);
      await tab.locator("html[data-theme=dark]").waitFor();
      await tab.goto("/sign-in");
      expect((await tab.locator("html[data-theme=dark]").count()) === 1, "it was forgotten");
      expect((await tab.locator("button[name=theme][aria-pressed=true]").getAttribute("value")) === "dark", "it is not marked");
    }));
    await check(`look: French is chosen ${how} scripts and kept`, () => choose(browser, js, async (tab) => {
      await tab.locator("button[name=language][value=fr]").click();
      await tab.locator("html[lang=fr]").waitFor();
      expect(new URL(tab.url()).pathname === "/sign-in", `it led to ${tab.url()}`);
      await tab.goto("/sign-in");
      expect((await tab.locator("html").getAttribute("lang")) === "fr", "it was forgotten");
    }));
  }
}

async function choose(browser, js, act) {
  const context = await browser.visitor({ js });
  try {
    const tab = await context.newPage();
    await tab.goto("/sign-in");
    await act(tab);
  } finally {
    await context.close();
  }
}
