// The first owner: a house that nobody owns answers nothing but the link that sets it up, once; by password and by passkey.
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { check, comeIn, expect, inTab, outcome, press, refused, sees, skip } from "../kit.mjs";
import { authenticator } from "./passkeys.mjs";

const PATIENCE_MS = 60_000;

export async function run(house, browser) {
  const program = process.env.RELAIS_BIN;
  if (!outcome(program, ["--help"]).text.includes("setup-link")) {
    skip("set-up", "this program has no `relais setup-link`");
    return;
  }
  for (const way of ["a password", "a passkey"]) {
    const bare = await unowned(house, program, way.replace(/\W/g, "-"));
    try {
      await first(bare, browser, way);
    } finally {
      await bare.stop();
    }
  }
}

async function first(bare, browser, way) {
  const me = { address: "olga@meadow.example", password: "clover under old oaks" };
  let link = "";
  await inTab(browser, {}, async (tab) => {
    await check("set-up: nothing answers before, and the page says what to do", async () => {
      for (const path of ["/", "/sign-in", "/panel", "/panel/people"]) {
        await tab.goto(`${bare.panel}${path}`);
        await sees(tab, "Not set up yet");
        await sees(tab, "relais setup-link");
      }
      const wrong = await tab.goto(`${bare.panel}/setup/guessed`);
      expect(wrong.status() >= 400, `a wrong token is answered ${wrong.status()}`);
    });
    await check("set-up: bad input is told and kept", async () => {
      link = outcome(bare.program, ["--config", bare.config, "setup-link"]).text.match(/https?:\/\/\S+/)?.[0] ?? "";
      expect(link.startsWith(bare.panel), `the link is “${link}”`);
      await tab.goto(link);
      await fill(tab, { host_name: "mx.meadow.example", domain: "no domain", name: "Olga", address: me.address, password: me.password });
      await press(tab, "Set up");
      await refused(tab, "is not a domain", { domain: "no domain", address: me.address });
      await fill(tab, { domain: "meadow.example", address: "olga@elsewhere.example", password: me.password });
      await press(tab, "Set up");
      await refused(tab, "must be in meadow.example");
      await fill(tab, { address: me.address, password: "12345678" });
      await press(tab, "Set up");
      await tab.locator("[data-errors]").waitFor();
    });
    await check(`set-up: the first owner comes in with ${way}`, async () => {
      const keys = await authenticator(tab);
      await tab.goto(link);
      await fill(tab, { host_name: "localhost", domain: "meadow.example", name: "Olga", address: me.address });
      if (way === "a password") {
        await fill(tab, { password: me.password });
        await press(tab, "Set up");
      } else {
        await press(tab, "Set up with a passkey");
      }
      await tab.waitForURL("**/panel/dns/meadow.example*");
      await sees(tab, "The server is yours");
      await tab.context().clearCookies();
      if (way === "a password") await comeIn(tab, me, bare.panel);
      else {
        expect((await keys.kept()) === 1, "the authenticator keeps none");
        await tab.goto(`${bare.panel}/sign-in`);
        await press(tab, "Sign in with a passkey");
      }
      await tab.waitForURL("**/panel");
      await tab.goto(`${bare.panel}/panel/domains`);
      await sees(tab, "meadow.example");
    });
  });
  await check("set-up: the link opens nothing any more", () => inTab(browser, {}, async (tab) => {
    const answer = await tab.goto(link);
    expect(answer.status() >= 400, `it is answered ${answer.status()}`);
    await tab.goto(`${bare.panel}/`);
    expect(new URL(tab.url()).pathname === "/sign-in", `it led to ${tab.url()}`);
  }));
}

async function fill(tab, fields) {
  for (const [name, value] of Object.entries(fields)) await tab.locator(`main [name=${name}]`).fill(value);
}

// `relais serve`, with the demo's ports moved on and its certificate, in a folder where nobody has been.
async function unowned(house, program, name) {
  const folder = join(house.folder, name);
  mkdirSync(folder, { recursive: true });
  const demo = readFileSync(house.facts.config, "utf8");
  const numbers = Object.values(house.facts.ports);
  const moved = numbers.reduce((text, port) => text.replaceAll(`:${port}"`, `:${port + 20}"`), demo);
  const config = join(folder, "relais.toml");
  const tls = `\n[[tls.certificates]]\nchain = "${house.facts.dir}/localhost.pem"\nkey = "${house.facts.dir}/localhost.key"\n`;
  writeFileSync(config, moved.replaceAll(join(house.facts.dir, "data"), join(folder, "data")) + tls, { mode: 0o600 });
  const child = spawn(program, ["--config", config, "serve"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => child.once("exit", done));
  let log = "";
  const ready = new Promise((done) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (octets) => {
        log += octets;
        if (/\bready\b/.test(log)) done(true);
      });
    }
  });
  const late = new Promise((done) => setTimeout(done, PATIENCE_MS, false).unref());
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
  };
  if (!(await Promise.race([ready, ended.then(() => false), late]))) {
    await stop();
    throw new Error(`relais serve did not become ready: ${log.slice(-600)}`);
  }
  return { program, config, panel: house.panel.replace(String(house.facts.ports.panel), String(house.facts.ports.panel + 20)), stop };
}
