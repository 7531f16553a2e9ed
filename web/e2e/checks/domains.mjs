// Domains: added with good and bad names, set, disabled, removed and restored; another name that leads to one.
import { at, check, confirm, domain, inTab, lacks, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const add = async (tab, name, description = "", tenant = "") => {
    await tab.goto("/panel/domains/new");
    await tab.locator("[name=domain]").fill(name);
    await tab.locator("[name=description]").fill(description);
    await tab.locator("[name=tenant]").fill(tenant);
    await press(tab, "Add a domain");
  };

  await check("domains: a name that is none, and one that is taken, are refused and kept", () => owner(async (tab) => {
    await add(tab, "not a domain", "kept as well");
    await refused(tab, "is not a domain", { domain: "not a domain", description: "kept as well" });
    await add(tab, domain(house));
    await refused(tab, "is already here", { domain: domain(house) });
    await add(tab, `${"a".repeat(64)}.example`);
    await refused(tab, "is not a domain");
  }));

  await check("domains: one of another script is added, and shown as it is spelled", () => owner(async (tab) => {
    await add(tab, "bücher.example", "Books");
    await told(tab, "bücher.example is here");
    await sees(tab, "xn--bcher-kva.example");
  }));

  await check("domains: one is added to a tenant, which its page tells", () => owner(async (tab) => {
    await add(tab, "not a domain", "", "rowers");
    await refused(tab, "is not a domain", { domain: "not a domain", tenant: "rowers" });
    await add(tab, "rowing.example", "", "rowers");
    await told(tab, "rowing.example is here");
    const kept = await tab.locator("[name=tenant]").inputValue();
    if (kept !== "rowers") throw new Error(`rowers became ${kept}`);
  }));

  await check("domains: its settings are kept, and a bad one is told", () => owner(async (tab) => {
    await add(tab, "orchard.example");
    await told(tab);
    await tab.locator("[name=description]").fill("Apples and pears");
    await tab.locator("[name=default_quota]").fill("5 GB");
    await press(tab, "Save");
    await told(tab);
    const kept = await tab.locator("[name=default_quota]").inputValue();
    if (kept !== "5 GB") throw new Error(`5 GB became ${kept}`);
    await tab.locator("[name=catch_all]").fill("nobody at all");
    await press(tab, "Save");
    await refused(tab, "is not an address", { catch_all: "nobody at all", description: "Apples and pears" });
    await tab.goto("/panel/domains?q=orchard");
    await sees(tab, "Apples and pears");
  }));

  await check("domains: another name leads there, and is taken away", () => owner(async (tab) => {
    await tab.goto("/panel/domains/orchard.example");
    const give = async (name) => {
      await tab.locator("form[action$='/names'] [name=domain]").fill(name);
      await press(tab, "Add the name");
    };
    await give(domain(house));
    await refused(tab, "is already here");
    await give("obstgarten.example");
    await told(tab, "obstgarten.example leads here now");
    await tab.locator("li", { hasText: "obstgarten.example" }).getByRole("link", { name: "Remove" }).click();
    await confirm(tab);
    await told(tab, "leads nowhere any more");
  }));

  await check("domains: disabled after a question, and in use again", () => owner(async (tab) => {
    await tab.goto("/panel/domains/orchard.example");
    await press(tab, "Disable");
    await confirm(tab);
    await told(tab, "orchard.example is disabled");
    await sees(tab, "This domain is disabled");
    await press(tab, "Enable");
    await told(tab, "is in use again");
  }));

  await check("domains: removed, found among the removed, not to be added again, and restored", () => owner(async (tab) => {
    await tab.goto("/panel/domains/orchard.example");
    await press(tab, "Remove the domain");
    await confirm(tab);
    await told(tab, "can be restored for 30 days");
    await tab.goto("/panel/domains");
    await lacks(tab, "orchard.example");
    const gone = await tab.goto("/panel/domains/orchard.example");
    if (gone.status() !== 404) throw new Error(`a removed domain answers ${gone.status()}`);
    await add(tab, "orchard.example");
    await refused(tab, "was removed not long ago", { domain: "orchard.example" });
    await tab.goto("/panel/domains?removed=1");
    await tab.locator("tr", { hasText: "orchard.example" }).getByRole("button", { name: "Restore" }).click();
    await told(tab, "orchard.example is back");
    await tab.goto("/panel/domains/orchard.example");
    await sees(tab, "Apples and pears");
    at(tab, "/panel/domains/orchard.example");
  }));
}
