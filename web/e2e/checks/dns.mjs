// The DNS: the checklist with values to copy, checking now, the zone file, a provider's form with good and bad input.
import { check, domain, expect, inTab, lacks, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const owner = (act, how = {}) => inTab(browser, { role: "owner", ...how }, act);
  const page = `/panel/dns/${domain(house)}`;

  await check("dns: the list leads to the host and to each domain", () => owner(async (tab) => {
    await tab.goto("/panel/dns");
    await tab.locator("main tbody .row-link", { hasText: domain(house) }).click();
    expect(new URL(tab.url()).pathname === page, `it led to ${tab.url()}`);
    await tab.goto("/panel/dns");
    await tab.locator("main .list .row-link").click();
    expect(new URL(tab.url()).pathname === "/panel/dns/host", `it led to ${tab.url()}`);
  }));

  await check("dns: the domain's own page says how its DNS stands, and leads there", () => owner(async (tab) => {
    await tab.goto(`/panel/domains/${domain(house)}`);
    await tab.locator("main .list .row-link", { hasText: "DNS records" }).click();
    expect(new URL(tab.url()).pathname === page, `it led to ${tab.url()}`);
  }));

  await check("dns: each record stands there with name and value to copy, grouped by need", () => owner(async (tab) => {
    await tab.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await tab.goto(page);
    await sees(tab, "Needed");
    await sees(tab, "Recommended");
    await sees(tab, "Who may send (SPF)");
    await tab.locator("details.finding > summary", { hasText: "Who may send (SPF)" }).click();
    const value = tab.locator(".record [data-copy]", { hasText: "v=spf1" }).first();
    await value.locator("button").click();
    const copied = await tab.evaluate(() => navigator.clipboard.readText());
    expect(copied.startsWith("v=spf1"), `copied: ${copied}`);
    expect((await tab.locator(".record [data-copy] code", { hasText: /^_dmarc$/ }).count()) === 1, "no name without the domain");
  }));

  await check("dns: names and texts are written as the provider's form wants them, without scripts, too", async () => {
    for (const js of [true, false]) {
      await owner(async (tab) => {
        await tab.goto(page);
        await tab.locator("[name=names]").selectOption("whole");
        await tab.locator("[name=texts]").selectOption("split");
        await press(tab, "Write them so");
        await tab.waitForURL(/names=whole&texts=split/);
        const codes = await tab.locator(".record code").allTextContents();
        expect(codes.includes(`_dmarc.${domain(house)}`), "no whole name");
        expect(codes.some((code) => code.startsWith('"v=spf1')), "no text in quotes");
      }, { js });
    }
  });

  await check("dns: the zone file has a line for each record of the zone", () => owner(async (tab) => {
    await tab.goto(page);
    const [file] = await Promise.all([tab.waitForEvent("download"), press(tab, "Zone file")]);
    expect(file.suggestedFilename() === `${domain(house)}.zone`, file.suggestedFilename());
    const chunks = [];
    for await (const chunk of await file.createReadStream()) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    expect(/\tIN\tMX\t10 /.test(text) && text.includes(`_dmarc.${domain(house)}.`), text.slice(0, 300));
  }));

  // A demo asks no name servers: the page says so, and offers no button that could not work.
  await check("dns: a check is offered where it can be made, else the page says why not", async () => {
    for (const js of [true, false]) {
      await owner(async (tab) => {
        await tab.goto(page);
        if ((await tab.getByText("No check can be made now").count()) > 0) {
          expect((await tab.locator("main").getByRole("button", { name: "Check now" }).count()) === 0, "a button that can't work");
          return;
        }
        await press(tab, "Check now");
        // Whoever asks again within ten seconds sees what was just found.
        const said = await told(tab);
        expect(/The check has begun|It was checked a moment ago/.test(said), `it says “${said}”`);
      }, { js });
    }
  });

  await check("dns: a provider's form asks for the provider's own fields, and keeps what was typed", () => owner(async (tab) => {
    await tab.goto("/panel/dns/accounts");
    await press(tab, "Add an account");
    await tab.locator(".row-link", { hasText: "RFC 2136" }).click();
    await sees(tab, "Name of the key");
    await tab.locator("[name=domain]").fill(domain(house));
    await tab.locator("[name=server]").fill("ns1.example.org");
    await tab.locator("[name=key_name]").fill("relais");
    await tab.locator("[name=secret]").fill("not base64 !");
    await press(tab, "Add an account");
    await refused(tab, "It cannot be this", { server: "ns1.example.org", key_name: "relais", domain: domain(house) });
    expect((await tab.locator("[name=secret]").inputValue()) === "", "the key was sent back");
  }));

  await check("dns: a server that isn't there is told beside the form", () => owner(async (tab) => {
    await tab.goto("/panel/dns/accounts/new?provider=rfc2136");
    await tab.locator("[name=domain]").fill(domain(house));
    await tab.locator("[name=server]").fill("127.0.0.1:9");
    await tab.locator("[name=key_name]").fill("relais");
    await tab.locator("[name=secret]").fill("c2VjcmV0IG9mIHRoZSBrZXk=");
    await press(tab, "Add an account");
    await sees(tab, "The provider could not be asked");
    expect((await tab.locator("[name=server]").inputValue()) === "127.0.0.1:9", "what was typed is gone");
  }));

  await check("dns: without an account the way to one is shown, and nothing was changed yet", () => owner(async (tab) => {
    await tab.goto(`${page}/push`);
    await sees(tab, "No provider account yet");
    await press(tab, "Add an account");
    expect(tab.url().includes(`domain=${domain(house)}`), `it led to ${tab.url()}`);
    await tab.goto("/panel/dns/receipts");
    await sees(tab, "Nothing was changed yet");
  }));

  await check("dns: in French", () => owner(async (tab) => {
    await tab.goto(page);
    await sees(tab, "Qui peut envoyer (SPF)");
    await sees(tab, "Pour le formulaire de votre fournisseur");
    await lacks(tab, "Zone file");
  }, { language: "fr" }));
}
