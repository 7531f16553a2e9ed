// Certificates: brought well and badly, removed, ordered while that is off, names asked for, doors looked at; without a script and in French.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check, confirm, domain, expect, inTab, lacks, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const folder = join(house.folder, "certificates");
  mkdirSync(folder, { recursive: true });
  const owner = (act, how = {}) => inTab(browser, { role: "owner", ...how }, act);
  const good = pair(folder, "mail.greengrocer.example");
  const other = pair(folder, "other.example");

  const bring = async (tab, { chain, key }) => {
    await tab.goto("/panel/certificates/new");
    await tab.locator("[name=chain]").fill(chain);
    await tab.locator("[name=key]").fill(key);
    await press(tab, "Upload a certificate");
  };
  const row = (tab, name) => tab.locator("main tbody tr", { hasText: name });
  const isThere = async (tab, name) => {
    await tab.goto("/panel/certificates");
    return (await row(tab, name).count()) > 0;
  };

  await check("certificates: the list says from where, until when, and what ends soon", () => owner(async (tab) => {
    await tab.goto("/panel/certificates");
    for (const words of ["Ends soon", "Ordered", "Uploaded", "No certificates are ordered"]) await sees(tab, words);
  }));
  await check("certificates: what is no certificate is refused beside its field, and what was typed stays", () => owner(async (tab) => {
    const chain = "-----BEGIN NONSENSE-----\nQUJD\n-----END NONSENSE-----";
    await bring(tab, { chain, key: good.key });
    await refused(tab, "There is no certificate in it", { chain, key: "" });
    expect(await tab.locator("#chain[aria-invalid=true]").count() === 1, "the field does not say so");
    await bring(tab, { chain: good.chain, key: other.key });
    await refused(tab, "The private key belongs to none of these certificates", { key: "" });
    await bring(tab, { chain: good.chain, key: "" });
    await refused(tab, "There is no private key in it");
    const locked = openssl("pkey", "-in", good.keyFile, "-aes256", "-passout", "pass:secret");
    await bring(tab, { chain: good.chain, key: locked });
    await refused(tab, "locked with a password");
    expect(!(await isThere(tab, "greengrocer")), "something was kept");
  }));
  await check("certificates: a key among the certificates never comes back", () => owner(async (tab) => {
    await bring(tab, { chain: `${good.chain}\n${other.key}`, key: "" });
    await refused(tab, "The private key belongs to none");
    const html = await tab.content();
    expect(!html.includes(other.key.split("\n")[1]), "the key is on the page");
    expect((await tab.locator("[name=chain]").inputValue()).includes("BEGIN CERTIFICATE"), "the certificate is gone");
  }));
  await check("certificates: one from files is kept, is shown at the doors, and removed after a question", () => owner(async (tab) => {
    await tab.goto("/panel/certificates/new");
    await tab.locator("[name=chain_file]").setInputFiles(good.chainFile);
    await tab.locator("[name=key_file]").setInputFiles(good.keyFile);
    await press(tab, "Upload a certificate");
    await told(tab, "all doors show it");
    await row(tab, "greengrocer").waitFor();
    expect(!(await tab.content()).includes(good.key.split("\n")[1]), "the key is shown");
    await tab.goto("/panel/certificates/doors?name=mail.greengrocer.example");
    await sees(tab, "As it should");
    await tab.goto("/panel/certificates");
    await row(tab, "greengrocer").getByRole("link", { name: "Remove" }).click();
    await sees(tab, "Its private key").catch(() => tab.locator("dialog[open]").getByText("Its private key").waitFor());
    await confirm(tab);
    await told(tab, "The certificate is removed");
    await lacks(tab, "greengrocer");
  }));
  await check("certificates: doors are looked at when asked, and a name that is none is refused", () => owner(async (tab) => {
    await tab.goto("/panel/certificates/doors");
    await press(tab, "Look now");
    await sees(tab, "As it should");
    await tab.locator("[name=name]").fill("no name");
    await press(tab, "Look now");
    await refused(tab, "no name that a certificate", { name: "no name" });
  }));
  await check("certificates: nothing is ordered while that is off; the CA's own words stand with what it refused", () => owner(async (tab) => {
    await tab.goto("/panel/certificates/names");
    await sees(tab, "prevents issuance");
    expect(await tab.getByRole("button", { name: "Try now" }).count() === 0, "something could be ordered");
    await tab.goto("/panel/certificates/orders");
    await sees(tab, "Refused");
    await sees(tab, "Issued");
    const csrf = await tab.locator("[name=csrf]").first().inputValue();
    await tab.evaluate((csrf) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: "/panel/certificates/order" });
      form.append(Object.assign(document.createElement("input"), { name: "csrf", value: csrf }));
      document.body.append(form);
      form.submit();
    }, csrf);
    await told(tab, "No certificates are ordered");
  }));
  await check("certificates: a domain admin asks for names below their domain only", () => inTab(browser, { role: "domain_admin" }, async (tab) => {
    const name = `www.${domain(house)}`;
    await tab.goto("/panel/certificates/names");
    await tab.locator("main [name=name]").last().fill("www.elsewhere.example");
    await press(tab, "Ask for a name");
    await refused(tab, "not below the domain");
    await tab.locator("#name").fill(name);
    await press(tab, "Ask for a name");
    await told(tab, "The name is on the list");
    await row(tab, name).getByRole("button", { name: "Ask no longer" }).click();
    await told(tab, "No certificate is ordered for it any more");
    await lacks(tab, name);
  }));
  await check("certificates: all of it works without a script", () => owner(async (tab) => {
    await bring(tab, { chain: good.chain, key: other.key });
    await refused(tab, "belongs to none");
    await bring(tab, good);
    await told(tab, "all doors show it");
    await row(tab, "greengrocer").getByRole("link", { name: "Remove" }).click();
    await confirm(tab);
    await told(tab, "The certificate is removed");
  }, { js: false }));
  await check("certificates: in French", () => owner(async (tab) => {
    await tab.goto("/panel/certificates/new");
    await tab.locator("[name=chain]").fill("rien");
    await press(tab, "Déposer un certificat");
    await refused(tab, "Il n'y a pas de certificat", { chain: "rien" });
    await tab.goto("/panel/certificates");
    await sees(tab, "Finit bientôt");
    await sees(tab, "Accepter et commander des certificats");
  }, { language: "fr" }));
}

// A self-signed certificate with its key, as openssl makes them.
function pair(folder, name) {
  const [chainFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj", `/CN=${name}`,
    "-addext", `subjectAltName=DNS:${name}`, "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", keyFile, "-out", chainFile);
  return { chainFile, keyFile, chain: readFileSync(chainFile, "utf8"), key: readFileSync(keyFile, "utf8") };
}

function openssl(...args) {
  return execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 30_000 });
}
