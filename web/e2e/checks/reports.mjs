// Reports of a domain, and what would become of mail to a destination.
import { check, domain, expect, inTab, press, refused, sees } from "../kit.mjs";

export async function run(house, browser) {
  const owner = (act) => inTab(browser, { role: "owner" }, act);

  await check("reports: a domain's page leads to them, and they say who is unknown, by name", () => owner(async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}`);
    await tab.getByRole("link", { name: "Reports", exact: true }).click();
    await sees(tab, /\d+ % aligned; one unknown sender: SendGrid/);
  }));
  await check("reports: the chart's numbers stand in a table, too", () => owner(async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}/reports`);
    await tab.getByText("The numbers").click();
    const days = await tab.locator("figure.chart tbody tr").count();
    expect(days === 30, `${days} days`);
  }));
  await check("reports: where none came, it is said what to do", () => owner(async (tab) => {
    await tab.goto("/panel/domains/chess-club.test/reports");
    await sees(tab, "No report yet");
  }));
  await check("destination: what is no domain is told beside its field", () => owner(async (tab) => {
    await tab.goto("/panel/queue");
    await tab.getByRole("link", { name: "What would we do?" }).click();
    await tab.locator("[name=destination]").fill("no domain");
    await press(tab, "Look");
    await refused(tab, "", { destination: "no domain" });
  }));
  await check("destination: a house that hands no mail on says so", () => owner(async (tab) => {
    await tab.goto("/panel/queue/destination?destination=ann%40example.org");
    await sees(tab, "hands no mail to others");
  }));
}
