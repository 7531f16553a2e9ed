// What the checks in this folder share: a furnished house, a browser that believes its certificate, visitors who are signed in,
// and how checks are counted.
//
// A check prints `ok NAME`, `FAIL NAME (why)` or `skip NAME (why)`; the last line counts them. $RELAIS_BIN is the program.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const CHROMIUM = "/usr/bin/chromium";
// Nothing of the browser's own goes out into the world.
const QUIET = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
export const WIDTHS = [390, 834, 1440];
export const THEMES = ["light", "dark"];
const START_PATIENCE_MS = 120_000;
const STOP_PATIENCE_MS = 40_000;
const PATIENCE_MS = 15_000;
// A session that is older must prove itself again before grave acts: the house says ten minutes.
const PROVEN_MS = 6 * 60_000;

const counts = { passed: 0, failed: 0 };

// Runs one check; whatever it stumbles over is its failure.
export async function check(name, act) {
  try {
    await act();
    counts.passed += 1;
    console.log(`ok   ${name}`);
  } catch (error) {
    counts.failed += 1;
    const why = String(error?.message ?? error).replace(/\s+/g, " ").trim();
    console.log(`FAIL ${name} (${why.slice(0, 600)})`);
  }
}

export function skip(name, why) {
  console.log(`skip ${name} (${why})`);
}

// Says the count and gives the exit code.
export function tally(title) {
  console.log(`${title}: ${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
}

export function expect(is, why) {
  if (!is) throw new Error(why);
}

// A demo in a folder of its own. `facts` is its ready line: accounts with roles, ports, and the panel's URL.
export async function house() {
  const folder = mkdtempSync(join(tmpdir(), "relais-e2e."));
  const program = process.env.RELAIS_BIN;
  if (!program) throw new Error("RELAIS_BIN names no program");
  const log = [];
  const base = String(await freeBase());
  const child = spawn(program, ["demo", "--json", "--dir", join(folder, "data"), "--port-base", base], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: child.stderr }).on("line", (line) => log.push(line));
  const ended = new Promise((done) => child.once("exit", done));
  const ready = new Promise((done) => createInterface({ input: child.stdout }).once("line", done));
  const line = await Promise.race([ready, ended.then(() => null), after(START_PATIENCE_MS)]);
  const stop = async () => {
    child.kill("SIGTERM");
    if ((await Promise.race([ended.then(() => true), after(STOP_PATIENCE_MS)])) === null) child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  if (!line) {
    await stop();
    throw new Error(`relais demo did not become ready: ${log.slice(-5).join(" | ")}`);
  }
  const facts = JSON.parse(line);
  const panel = facts.panel ?? (facts.ports?.panel && `https://localhost:${facts.ports.panel}`);
  return { facts, panel: panel?.replace(/\/+$/, ""), folder, log, stop };
}

// A browser with a home of its own, where the house's authority is believed: passkeys work with no other certificate.
export async function browser(house) {
  const home = join(house.folder, "home");
  const trusted = join(home, ".pki/nssdb");
  mkdirSync(trusted, { recursive: true });
  execFileSync("certutil", ["-d", `sql:${trusted}`, "-N", "--empty-password"]);
  execFileSync("certutil", ["-d", `sql:${trusted}`, "-A", "-t", "C,,", "-n", "relais", "-i", house.facts.ca]);
  const opened = await chromium.launch({ executablePath: CHROMIUM, args: QUIET, env: { ...process.env, HOME: home } });
  const states = new Map(); // who has signed in, by role
  return {
    close: () => opened.close(),
    // A fresh window. `role` is whom it is signed in as: "owner", "domain_admin", "help_desk", "user", or nobody. `touch`: on a phone, by
    // fingers. All that it asks of others goes through `proxy`, where one is named. With `asks`, what is asked beside the pages
    // (`context.request`) is not kept from the house by its certificate, which Node doesn't know.
    async visitor({ role, width = 1440, theme = "light", language = "en", js = true, touch = false, proxy, asks = false } = {}) {
      if (role && !(Date.now() < states.get(role)?.until)) {
        states.set(role, { until: Date.now() + PROVEN_MS, state: signIn(opened, house, role) });
      }
      const context = await opened.newContext({
        baseURL: house.panel,
        viewport: { width, height: width < 500 ? 844 : 900 },
        colorScheme: theme,
        locale: language === "fr" ? "fr-FR" : "en-GB",
        timezoneId: "Europe/Paris",
        javaScriptEnabled: js,
        hasTouch: touch,
        isMobile: touch,
        proxy: proxy && { server: proxy },
        ignoreHTTPSErrors: asks,
        storageState: role ? await states.get(role).state : undefined,
      });
      context.setDefaultTimeout(PATIENCE_MS);
      return context;
    },
  };
}

// The account that has this role, from the house's ready line.
export function account(house, role) {
  const found = house.facts.accounts.find((account) => account.role === role);
  if (!found) throw new Error(`the demo has no account with the role ${role}`);
  return found;
}

// A window for `act`, closed afterwards; `how` is what `visitor` takes.
export async function inTab(browser, how, act) {
  const context = await browser.visitor(how);
  try {
    return await act(await context.newPage(), context);
  } finally {
    await context.close();
  }
}

// Fills in the sign-in page that is open.
export async function enter(tab, { address, password }) {
  await tab.locator("input[autocomplete~=username]").fill(address);
  await tab.locator("input[autocomplete=current-password]").fill(password);
  await tab.locator("form:has(input[autocomplete=current-password]) button[type=submit]").click();
}

// Signs in by password alone, and waits until that is done.
export async function comeIn(tab, who, panel = "") {
  await tab.goto(`${panel}/sign-in`);
  await enter(tab, who);
  await tab.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
}

// Presses the button, or follows the link, of this name in the page itself; in a question's dialog where one is open.
export async function press(tab, name) {
  const place = (await tab.locator("dialog[open]").count()) > 0 ? tab.locator("dialog[open]") : tab.locator("main");
  await place.getByRole("button", { name, exact: true }).or(place.getByRole("link", { name, exact: true })).first().click();
}

// The question of a destructive act is answered with its own button, in the dialog or on its page.
export async function confirm(tab) {
  await tab.locator("[data-dialog-body] form button[type=submit]").click();
}

// What came of the last act, as it is shown on top of the next page.
export async function told(tab, words) {
  const said = tab.locator("[data-flash]");
  await shown(tab, said, "what came of the act");
  const text = (await said.innerText()).trim();
  expect(words === undefined || text.includes(words), `it says “${text}”`);
  return text;
}

// A form that was not accepted says so on top, beside its field, and keeps what was typed into `kept`.
export async function refused(tab, words, kept = {}) {
  await shown(tab, tab.locator("[data-errors]"), `“${words}”`);
  const text = await tab.locator("[data-errors]").innerText();
  expect(text.includes(words), `it says “${text}”`);
  for (const [name, value] of Object.entries(kept)) {
    const now = await tab.locator(`main :is(input, textarea, select)[name="${name}"]`).first().inputValue();
    expect(now === value, `“${value}” in ${name} became “${now}”`);
  }
}

export function at(tab, path) {
  const { pathname } = new URL(tab.url());
  expect(pathname === path, `it led to ${tab.url()}`);
}

export async function sees(tab, words) {
  await shown(tab, tab.locator("main").getByText(words).first(), `“${words}”`);
}

// Waits for it; where it does not come, the failure tells what is there instead.
async function shown(tab, place, what) {
  try {
    await place.waitFor();
  } catch {
    const text = (await tab.locator("main").innerText()).replace(/\s+/g, " ");
    throw new Error(`${what} is not to be seen at ${tab.url()}: ${text.slice(0, 400)}`);
  }
}

export async function lacks(tab, words) {
  expect((await tab.locator("main").getByText(words).count()) === 0, `“${words}” is still there`);
}

const newcomers = new Set();

// Someone new with a password, made by the owner in the panel: flows that change how one signs in have a person of their own.
export function newcomer(house, browser, local) {
  if (newcomers.has(local)) throw new Error(`two checks have a ${local}, and all of them may play in one house`);
  newcomers.add(local);
  const person = { address: `${local}@${domain(house)}`, password: `wool lantern ${local} 4711` };
  return inTab(browser, { role: "owner" }, async (tab) => {
    await tab.goto("/panel/people/new");
    await tab.locator("[name=local]").fill(local);
    await tab.locator("main select[name=domain]").selectOption(domain(house));
    await tab.locator("#way-password").check();
    await tab.locator("[name=password]").fill(person.password);
    await tab.locator("form.fields button.is-primary").click();
    await told(tab);
    return person;
  });
}

// The demo's own domain.
export function domain(house) {
  return account(house, "owner").address.split("@")[1];
}

// Asks for a path from within the page that is open, or posts a form to it, without going there. A redirect has status 0.
export function ask(tab, path, form) {
  return tab.evaluate(async ([path, form]) => {
    const how = form ? { method: "POST", body: new URLSearchParams(form) } : {};
    const answer = await fetch(path, { redirect: "manual", ...how });
    return { status: answer.status, text: await answer.text() };
  }, [path, form]);
}

// Makes something in the house's database old: hours are not waited for.
export function age(house, statement) {
  const { code, text } = outcome("sqlite3", ["-cmd", `.timeout ${PATIENCE_MS}`, join(house.facts.dir, "data/relais.db"), statement]);
  expect(code === 0, `sqlite3: ${text}`);
}

// Runs a program and gives what it wrote, whatever its exit code.
export function outcome(program, args) {
  try {
    return { code: 0, text: execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: PATIENCE_MS }) };
  } catch (error) {
    return { code: error.status ?? -1, text: `${error.stdout ?? ""}${error.stderr ?? ""}` };
  }
}

// Through the real page, as a person does it; gives the cookies.
async function signIn(opened, house, role) {
  const context = await opened.newContext({ baseURL: house.panel, locale: "en-GB" });
  context.setDefaultTimeout(PATIENCE_MS);
  try {
    await comeIn(await context.newPage(), account(house, role));
    return await context.storageState();
  } finally {
    await context.close();
  }
}

// Ports from a base on, all free a moment ago.
async function freeBase() {
  for (let base = 20_000 + (process.pid % 400) * 40; base < 60_000; base += 1_000) {
    const free = await Promise.all(Array.from({ length: 40 }, (_, offset) => isFree(base + offset)));
    if (free.every(Boolean)) return base;
  }
  throw new Error("no forty free ports in a row");
}

function isFree(port) {
  return new Promise((done) => {
    const server = createServer().once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}

function after(ms) {
  return new Promise((done) => setTimeout(done, ms, null).unref());
}
