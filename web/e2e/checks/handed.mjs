// What a message brings along: files that are looked at and taken, all of them in one, the message on paper and as it came; and that it
// is sealed or signed is recognised and said.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { check, comeIn, expect, inTab, newcomer } from "../kit.mjs";
import { byImap } from "../post.mjs";
import { line } from "./webmail.mjs";

const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGNQSFiAFTEMLQkAAmxIAbLcbYIAAAAASUVORK5CYII=";
// One empty page.
const PDF = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
  "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj\ntrailer<</Root 1 0 R>>\n";
const FILES = [
  { name: "dot.png", kind: "image/png", octets: Buffer.from(PNG, "base64"), shown: "image/png" },
  { name: "page.pdf", kind: "application/pdf", octets: Buffer.from(PDF), shown: "application/pdf" },
  { name: "é note.txt", kind: "text/plain; charset=utf-8", octets: Buffer.from("Grüße\n"), shown: "text/plain; charset=utf-8" },
  { name: "evil.html", kind: "text/html", octets: Buffer.from("<script>alert(1)</script>"), shown: null },
  { name: "evil.svg", kind: "image/svg+xml", octets: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), shown: null },
];
const SEALS = [
  ["pgp-signed", 'multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256', "application/pgp-signature", "Signed with OpenPGP"],
  ["pgp-sealed", 'multipart/encrypted; protocol="application/pgp-encrypted"', "application/octet-stream", "Sealed with OpenPGP"],
  ["smime-signed", 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256', "application/pkcs7-signature; name=smime.p7s", "Signed with S/MIME"],
];

export async function run(house, browser) {
  const who = await newcomer(house, browser, "finch");
  const mine = (act, how = {}) => inTab(browser, { asks: true, ...how }, async (tab, context) => {
    await comeIn(tab, who);
    await tab.goto("/mail");
    return act(tab, context);
  });
  const head = (subject) => `From: Ann <ann@x.example>\r\nTo: <${who.address}>\r\nSubject: ${subject}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n`;
  const part = ({ name, kind, octets }) => `--b\r\nContent-Type: ${kind}\r\nContent-Disposition: attachment; filename*=utf-8''${encodeURIComponent(name)}\r\n` +
    `Content-Transfer-Encoding: base64\r\n\r\n${octets.toString("base64")}\r\n`;
  const messages = [
    `${head("Five files")}Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nHere they are.\r\n${FILES.map(part).join("")}--b--\r\n`,
    ...SEALS.map(([subject, kind, second]) => `${head(subject)}Content-Type: ${kind}; boundary=b\r\n\r\n--b\r\n` +
      `${subject.endsWith("sealed") ? "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n" : "\r\nWords.\r\n"}--b\r\nContent-Type: ${second}\r\n\r\nAAAA\r\n--b--\r\n`),
    `${head("smime-sealed")}Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n`,
    `${head("pgp-inline")}\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nAAAA\r\n-----END PGP MESSAGE-----\r\n`,
  ];
  await byImap(house, who, (mail) => mail.append("INBOX", messages.map((text) => Buffer.from(text))));

  for (const js of [true, false]) {
    const how = js ? "with" : "without";
    await check(`handed: pictures, PDFs and texts are looked at, nothing that runs is, ${how} scripts`, () => mine(async (tab, context) => {
      await line(tab, "Five files").click();
      await tab.locator(".message-files li").first().waitFor();
      for (const { name, shown, octets } of FILES) {
        const row = tab.locator(".message-files li", { hasText: name });
        const view = row.locator("a[target=_blank]");
        expect((await view.count()) === (shown ? 1 : 0), `${name}: ${await view.count()} ways to look at it`);
        const kept = await context.request.get(await row.locator("a[download]").getAttribute("href"));
        expect(octets.equals(await kept.body()), `${name} is another`);
        expect(/^attachment;/.test(kept.headers()["content-disposition"]), `${name} is shown by itself`);
        if (!shown) continue;
        const seen = await context.request.get(await view.getAttribute("href"));
        expect(seen.headers()["content-type"] === shown, `${name} is shown as ${seen.headers()["content-type"]}`);
      }
    }, { js }));
    await check(`handed: a picture and a text open in the browser, ${how} scripts`, () => mine(async (tab, context) => {
      await line(tab, "Five files").click();
      const opened = async (name) => {
        const [page] = await Promise.all([context.waitForEvent("page"), tab.locator(".message-files li", { hasText: name }).locator("a[target=_blank]").click()]);
        await page.waitForLoadState();
        return page;
      };
      const picture = await opened("dot.png");
      const width = await picture.locator("img").evaluate((image) => image.naturalWidth);
      expect(width === 8, `it is ${width} wide`);
      const text = await opened("note.txt");
      expect((await text.locator("body").innerText()).includes("Grüße"), "the text is lost");
    }, { js }));
  }
  await check("handed: all files in one archive, each as it was", () => mine(async (tab) => {
    await line(tab, "Five files").click();
    const [taken] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("link", { name: "All as ZIP" }).click()]);
    expect(taken.suggestedFilename() === "Five files.zip", `it is called ${taken.suggestedFilename()}`);
    const folder = mkdtempSync(join(house.folder, "zip."));
    execFileSync("python3", ["-m", "zipfile", "-e", await taken.path(), folder]);
    for (const { name, octets } of FILES) expect(octets.equals(readFileSync(join(folder, name))), `${name} is another`);
  }));
  await check("handed: on paper stand who, when and the text, and no button", () => mine(async (tab) => {
    await line(tab, "Five files").click();
    await tab.locator("[data-message]").waitFor();
    await tab.goto(`${new URL(tab.url()).pathname}/print`);
    const text = await tab.locator("body").innerText();
    for (const words of ["Five files", "Ann", "Here they are."]) expect(text.includes(words), `“${words}” is not on it: ${text}`);
    expect((await tab.locator("button, a.button, nav").count()) === 0, "there are buttons");
  }));
  await check("handed: as it came, octet for octet, and to be read", () => mine(async (tab, context) => {
    await line(tab, "Five files").click();
    await tab.locator("[data-message]").waitFor();
    const way = new URL(tab.url()).pathname;
    const kept = await context.request.get(`${way}/message.eml`);
    expect((await kept.body()).equals(Buffer.from(messages[0])), "the file is another");
    await tab.goto(`${way}/source`);
    expect((await tab.locator(".source").innerText()).includes("filename*=utf-8''evil.html"), "its source is not all there");
  }));
  for (const [subject, said] of [...SEALS.map(([name, , , words]) => [name, words]), ["smime-sealed", "Sealed with S/MIME"], ["pgp-inline", "Sealed with OpenPGP"]]) {
    await check(`handed: ${subject} is recognised and said`, () => mine(async (tab) => {
      await line(tab, subject).click();
      await tab.locator(".message h1", { hasText: subject }).waitFor();
      await tab.locator(".notice", { hasText: said }).waitFor();
    }));
  }
}
