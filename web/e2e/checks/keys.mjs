// API keys: made with what they are for, shown once, used by a script (curl), revoked, refused.
import { check, confirm, expect, inTab, outcome, press, refused, sees, skip, told } from "../kit.mjs";

export async function run(house, browser) {
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const ask = (key, path) => {
    const args = ["-sS", "--max-time", "10", "--cacert", house.facts.ca, "-o", "/dev/null", "-w", "%{http_code}"];
    return outcome("curl", [...args, "-H", `Authorization: Bearer ${key}`, `${house.panel}/api/v1${path}`]).text.trim();
  };
  let key = "";

  await check("keys: for nothing, or without a name, none is made", () => owner(async (tab) => {
    await tab.goto("/panel/keys/new");
    await tab.locator("[name=name]").fill("backup script");
    for (const box of await tab.locator("[name=scopes]").all()) await box.uncheck();
    await press(tab, "Make a key");
    await refused(tab, "Choose at least one thing", { name: "backup script" });
  }));
  await check("keys: one is made, and shown once", () => owner(async (tab) => {
    await tab.goto("/panel/keys/new");
    await tab.locator("[name=name]").fill("backup script");
    for (const box of await tab.locator("[name=scopes]").all()) {
      await box.setChecked((await box.getAttribute("value")) === "domains:read");
    }
    await press(tab, "Make a key");
    await sees(tab, "This is shown once only");
    key = (await tab.locator(".copy.is-secret code").innerText()).trim();
    await press(tab, "I have copied it");
    await sees(tab, "backup script");
    expect(!(await tab.content()).includes(key), "it is shown again");
  }));
  const isThere = ask(key, "/domains") !== "404";
  if (isThere) {
    await check("keys: a script reads what it is for, and nothing else", async () => {
      expect(ask(key, "/domains") === "200", `domains: ${ask(key, "/domains")}`);
      expect(ask(key, "/people") === "403", `people: ${ask(key, "/people")}`);
      expect(ask(`${key}x`, "/domains") === "401", `a wrong key: ${ask(`${key}x`, "/domains")}`);
    });
  } else skip("keys: a script reads what it is for, and nothing else", "this house has no API");
  await check("keys: one is revoked after a question", () => owner(async (tab) => {
    await tab.goto("/panel/keys");
    await tab.locator("tr", { hasText: "backup script" }).getByRole("link", { name: "Revoke" }).click();
    await confirm(tab);
    await told(tab, "The key is revoked");
    expect((await tab.locator("tr", { hasText: "backup script" }).count()) === 0, "it still stands there");
    if (isThere) expect(ask(key, "/domains") === "401", `it is answered ${ask(key, "/domains")}`);
  }));
}
