// Webhooks: none to the inside, a secret that is shown once, switched off and on, removed.
import { check, confirm, expect, inTab, lacks, press, refused, sees, told } from "../kit.mjs";

const INSIDE = ["https://127.0.0.1/hook", "https://localhost/hook", "https://10.0.0.8/", "https://[::1]/", "https://169.254.169.254/latest/"];

export async function run(_house, browser) {
  const owner = (act) => inTab(browser, { role: "owner" }, act);
  const add = async (tab, url, description = "") => {
    await tab.goto("/panel/webhooks/new");
    await tab.locator("[name=url]").fill(url);
    await tab.locator("[name=description]").fill(description);
    await tab.locator("[name=event]").first().check();
    await press(tab, "Add a webhook");
  };

  await check("webhooks: none is made to an address inside", () => owner(async (tab) => {
    for (const url of INSIDE) {
      await add(tab, url, "kept");
      await refused(tab, "is an address inside", { url, description: "kept" });
    }
  }));
  await check("webhooks: none is made without TLS, or for nothing", () => owner(async (tab) => {
    await add(tab, "http://hooks.example.org/");
    await refused(tab, "must begin with https://", { url: "http://hooks.example.org/" });
    await tab.goto("/panel/webhooks/new");
    await tab.locator("[name=url]").fill("https://203.0.113.9/hook");
    await press(tab, "Add a webhook");
    await tab.locator("[data-errors]").waitFor();
  }));
  await check("webhooks: one is made, its secret shown once; switched off, on, and removed", () => owner(async (tab) => {
    await add(tab, "https://203.0.113.9/hook", "Our shop");
    await sees(tab, "The secret is shown this once");
    const secret = (await tab.locator(".copy.is-secret code").innerText()).trim();
    await press(tab, "I have copied it");
    await sees(tab, "Our shop");
    expect(!(await tab.content()).includes(secret), "the secret is shown again");
    await press(tab, "Switch off");
    await told(tab, "The webhook is off");
    await press(tab, "Switch on");
    await told(tab, "The webhook is on");
    await press(tab, "Remove");
    await confirm(tab);
    await told(tab, "The webhook is removed");
    await lacks(tab, "203.0.113.9");
  }));
}
