// Addresses: aliases and forwards, circles that are refused, and what an address leads to.
import { check, confirm, domain, inTab, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const home = domain(house);
  const [{ address: first }, { address: second }] = house.facts.accounts;
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const add = async (tab, local, targets) => {
    await tab.goto("/panel/addresses/new");
    await tab.locator("[name=local]").fill(local);
    await tab.locator("select[name=domain]").selectOption(home);
    await tab.locator("[name=targets]").fill(targets);
    await press(tab, "Add an alias");
  };
  const tries = async (tab, address, words) => {
    await tab.goto("/panel/addresses/try");
    await tab.locator("[name=address]").fill(address);
    await press(tab, "Try");
    await sees(tab, words);
  };

  await check("addresses: an alias to two people is added and found", () => owner(async (tab) => {
    await add(tab, "garden", `${first}\n${second}`);
    await told(tab, `garden@${home} is here`);
    await tab.goto("/panel/addresses?q=garden");
    await sees(tab, `garden@${home}`);
    await sees(tab, second);
  }));
  await check("addresses: what cannot be is refused and kept", () => owner(async (tab) => {
    await add(tab, "garden", first);
    await refused(tab, "is already here", { local: "garden", targets: first });
    await add(tab, "empty", "");
    await refused(tab, "An alias leads to 1 to", { local: "empty" });
    await add(tab, "broken", "no address");
    await refused(tab, "is not an address", { local: "broken", targets: "no address" });
    await add(tab, "two words", first);
    await refused(tab, "is not an address", { local: "two words" });
  }));
  await check("addresses: a circle is refused, with its way", () => owner(async (tab) => {
    await add(tab, "ring-one", `garden@${home}`);
    await told(tab);
    await tab.goto(`/panel/addresses/garden@${home}`);
    await tab.locator("[name=targets]").fill(`ring-one@${home}`);
    await press(tab, "Save");
    await refused(tab, "in a circle", { targets: `ring-one@${home}` });
    await sees(tab, "ring-one");
  }));
  await check("addresses: an address is tried, step by step", () => owner(async (tab) => {
    await tries(tab, `ring-one@${home}`, "It reaches 2 mailboxes or hosts");
    await tries(tab, first.replace("@", "+lists@"), `It reaches ${first}`);
    await tries(tab, `nobody-at-all@${home}`, "It reaches nobody");
    await tries(tab, "ann@elsewhere.example", "It is not an address of this house");
  }));
  await check("addresses: an alias is removed after a question", () => owner(async (tab) => {
    await tab.goto(`/panel/addresses/ring-one@${home}`);
    await press(tab, "Remove the alias");
    await confirm(tab);
    await told(tab, `ring-one@${home} is removed`);
    await tries(tab, `ring-one@${home}`, "It reaches nobody");
  }));
}
