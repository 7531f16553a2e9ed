// Who sees what: each role's navigation leads to pages that open, and to no others; whoever is not to see a page is turned away.
import { account, ask, at, check, domain, expect, inTab } from "../kit.mjs";
import { PAGES, ROLES, pathOf } from "../pages.mjs";

const SECTIONS = {
  user: [],
  help_desk: ["", "/domains", "/people", "/addresses", "/queue", "/messages", "/holds", "/security", "/activity", "/keys"],
  domain_admin: ["", "/domains", "/dns", "/people", "/addresses", "/queue", "/messages", "/holds", "/security", "/certificates", "/activity", "/keys", "/webhooks"],
  owner: ["", "/domains", "/dns", "/people", "/addresses", "/queue", "/messages", "/holds", "/suppressed", "/security", "/certificates", "/activity", "/keys", "/webhooks", "/settings", "/system"],
};

export async function run(house, browser) {
  const own = PAGES.filter((page) => page.role && !page.status && !Array.isArray(page.path));
  for (const role of ROLES) {
    await inTab(browser, { role }, async (tab) => {
      await check(`roles: ${role} sees its own navigation, and each page of it opens`, async () => {
        await tab.goto("/");
        const links = await tab.locator(".rail .navigation a").evaluateAll((all) => all.map((one) => one.getAttribute("href")));
        const expected = [...SECTIONS[role].map((section) => `/panel${section}`), "/mail", "/panel/account"];
        expect(links.join() === expected.join(), `it sees ${links.join()}`);
        for (const link of links) {
          const answer = await tab.goto(link);
          expect(answer.status() === 200, `${link} answers ${answer.status()}`);
          if (link === "/mail") continue; // it has a rail of its own
          expect((await tab.locator(".rail a[aria-current=page]").getAttribute("href")) === link, `${link} is not marked as the current page`);
        }
      });
      await check(`roles: ${role} opens what is theirs, and nothing else`, async () => {
        for (const page of own) {
          const path = await pathOf(page, house, tab);
          const { status } = await ask(tab, path);
          const may = ROLES.indexOf(role) >= ROLES.indexOf(page.role);
          expect(may ? status === 200 : [403, 404].includes(status), `${path} answers ${status}`);
        }
      });
    });
  }
  await check("roles: nobody is led to the sign-in page from all of them", () => inTab(browser, {}, async (tab) => {
    for (const page of own) {
      await tab.goto(await pathOf(page, house, tab));
      at(tab, "/sign-in");
    }
  }));

  // Another tenant's things are not there, whatever they are asked by.
  await check("roles: a domain admin learns nothing of another domain", async () => {
    const name = "walled.example";
    const stranger = `quiet@${name}`;
    await inTab(browser, { role: "owner" }, async (tab) => {
      await tab.goto("/panel/domains/new");
      await tab.locator("[name=domain]").fill(name);
      await tab.locator("form.fields button.is-primary").click();
      await tab.goto(`/panel/people/new?domain=${name}`);
      await tab.locator("[name=local]").fill("quiet");
      await tab.locator("main select[name=domain]").selectOption(name);
      await tab.locator("form.fields button.is-primary").click();
      await tab.getByText(`${stranger} is here`).first().waitFor();
    });
    for (const role of ["domain_admin", "help_desk"]) {
      await inTab(browser, { role }, async (tab) => {
        expect(!account(house, role).address.endsWith(name), "it is their own domain");
        for (const path of [`/panel/domains/${name}`, `/panel/people/${stranger}`, `/panel/people/${stranger}/sign-in`]) {
          const answer = await tab.goto(path);
          expect([403, 404].includes(answer.status()), `${path} answers ${role} with ${answer.status()}`);
        }
        for (const path of ["/panel/domains", "/panel/people", "/panel/addresses", `/panel/people?q=${stranger}`, "/panel/activity", `/panel/activity?subject=${stranger}`]) {
          await tab.goto(path);
          const text = await tab.locator("main").evaluate((main) => {
            for (const field of main.querySelectorAll("input")) field.remove();
            return main.innerText;
          });
          expect(!text.includes(name), `${path} shows it to ${role}`);
        }
        const answer = await tab.goto(`/panel/people/${account(house, "user").address}`);
        expect(answer.status() === 200, `${role} does not see ${domain(house)}`);
      });
    }
  });
}
