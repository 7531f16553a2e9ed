// Real mail, and mail that was broken: every message of the suites' MIME collections and of the spam corpus ($RELAIS_SUITES) opens in the
// webmail, page, frame, source and files; and some of each kind are looked at, in the browser, with scripts, at two widths and in both
// themes. Their pictures: target/shots/mail-NAME-WIDTH-THEME.png.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { check, comeIn, expect, inTab, newcomer, skip } from "../kit.mjs";
import { byImap, encoded, files, suite, travelled } from "../post.mjs";

const AT_ONCE = 4; // pages that are asked for
const EVERY = 90; // of how many of the spam corpus one is looked at
const SHOTS = fileURLToPath(new URL("../../../target/shots", import.meta.url));
const LOOKS = [
  { width: 390, theme: "light" },
  { width: 390, theme: "dark" },
  { width: 1440, theme: "light" },
  { width: 1440, theme: "dark" },
];

export async function run(house, browser) {
  const reader = await newcomer(house, browser, "lark");
  const [mime, spam] = [suite("mime"), suite("spam")];
  const collections = [{ name: "scripts", messages: scripts(), every: 1 }];
  if (mime) collections.push({ name: "mime", messages: read(files(mime, [".eml", ".msg", ".raw"])), every: 9 });
  else skip("corpus: mime", "no suites: set RELAIS_SUITES");
  if (spam) collections.push({ name: "spam", messages: unpacked(join(spam, "train.tar.gz"), house.folder), every: EVERY });
  else skip("corpus: spam", "no suites: set RELAIS_SUITES");

  for (const { name, messages, every } of collections) {
    const mailbox = `Corpus-${name}`;
    const uids = await byImap(house, reader, async (mail) => {
      await mail.say(`CREATE "${mailbox}"`);
      return mail.append(mailbox, messages.map(({ octets }) => travelled(octets)));
    });
    await check(`corpus: ${messages.length} of ${name} are taken in`, () => {
      const refused = messages.filter((_, at) => !uids[at]).map((message) => message.name);
      expect(refused.length === 0, `${refused.length} are not: ${refused.slice(0, 5).join(" ")}`);
    });
    await inTab(browser, { asks: true }, async (tab, context) => {
      await comeIn(tab, reader);
      await tab.goto("/mail");
      const id = await tab.locator("a[data-folder]", { hasText: mailbox }).first().getAttribute("data-folder");
      await check(`corpus: ${messages.length} of ${name} open, each with its frame, its source and its first file`, () => open(context.request, id, messages, uids));
      await check(`corpus: the lists of ${name} show all of them`, () => list(context.request, id, uids.filter(Boolean)));
      const some = messages.map((message, at) => ({ ...message, way: `/mail/${id}/${uids[at]}` })).filter((_, at) => at % every === 0);
      await check(`corpus: ${some.length} of ${name}, looked at`, () => look(browser, reader, some));
    });
  }
}

// Writing from right to left, and what has no letters: in names, subjects, texts, plain and as HTML.
function scripts() {
  const samples = {
    arabic: ["ليلى حسن", "اجتماع يوم الخميس 10:30", "مرحبا،\n\nهل نلتقي يوم الخميس في الساعة 10:30؟ الغرفة A-12.\nhttps://x.example/خريطة\n\nمع التحية\n> هل يناسبك الغد؟"],
    hebrew: ["נועה כהן", "Re: פגישה (Room 7)", "שלום,\n\nהפגישה תתקיים ביום חמישי, Room 7, בשעה 10:30.\n\nתודה"],
    emoji: ["Zoë 🐦‍⬛", "🎉👩🏽‍🚀 Party! 🇫🇷🏳️‍🌈", "👋🏼 Come along 👨‍👩‍👧‍👦\n\n🍰 + 🕯️ = ❤️\n1️⃣ bring 🪑\n2️⃣ bring 🎸"],
    japanese: ["山田太郎", "会議のお知らせ【重要】", "山田です。\n\n木曜日の十時半に会議室でお会いしましょう。"],
    mixed: ["Ann \u202Egnp.exe", "Offer \u202Etxt.exe\u202C \u2066x\u2069 ​zero", "Left to right, then עברית ואז English again, and \u202Ethis turned round\u202C.\nZ̵̢̛͎͙a̷̛̘̟l̸̨̛g̸o̷"],
    long: ["A".repeat(300), "W".repeat(900), `${"nowhere-to-break".repeat(60)}\n\n${"> ".repeat(40)}deep\nhttps://x.example/${"path/".repeat(100)}`],
  };
  return Object.entries(samples).flatMap(([name, [author, subject, text]]) => {
    const head = `From: ${encoded(author)} <a@x.example>\r\nTo: ${encoded(author)} <b@x.example>\r\nSubject: ${encoded(subject)}\r\nDate: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n`;
    const part = (kind, body) => Buffer.from(`${head}Content-Type: ${kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body}`);
    const paragraphs = text.split("\n\n").map((one) => `<p>${one.replaceAll("\n", "<br>")}</p>`).join("");
    return [{ name, octets: part("text/plain", text) }, { name: `${name}-html`, octets: part("text/html", paragraphs) }];
  });
}

function read(paths) {
  return paths.map((path) => ({ name: basename(path), octets: readFileSync(path) }));
}

function unpacked(archive, folder) {
  const place = join(folder, "corpus");
  mkdirSync(place);
  execFileSync("tar", ["-xzf", archive, "-C", place]);
  return read(files(place, [".txt"]));
}

// As a browser without scripts asks for it.
async function open(asking, id, messages, uids) {
  const wrong = [];
  const queue = [...messages.keys()].filter((at) => uids[at]);
  const get = async (path) => {
    const answer = await asking.get(path, { maxRedirects: 0, timeout: 60_000 });
    const text = /^text\/html/.test(answer.headers()["content-type"] ?? "") ? await answer.text() : "";
    if (answer.status() !== 200) throw new Error(`${path.split("/").slice(4).join("/") || "page"} answers ${answer.status()}`);
    return text;
  };
  const one = async (at) => {
    const way = `/mail/${id}/${uids[at]}`;
    const page = await get(way);
    if (!page.includes(`data-message="${uids[at]}"`)) throw new Error("the page shows no message");
    if (page.includes("\ufffd\ufffd\ufffd")) throw new Error("its letters are lost");
    if (page.includes("letter-frame")) await get(`${way}/frame`);
    await get(`${way}/source`);
    const file = page.match(/href="(\/mail\/[^"]+\/files\/[^"?]+)"/)?.[1];
    if (file) await get(file);
  };
  const work = async () => {
    for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
      await one(at).catch((error) => wrong.push(`${messages[at].name}: ${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  expect(wrong.length === 0, `${wrong.length} do not: ${wrong.slice(0, 8).join(" | ")}`);
}

async function list(asking, id, uids) {
  const seen = new Set();
  let total = 1;
  for (let offset = 0; offset < total; offset += 50) {
    const answer = await asking.get(`/mail/${id}?offset=${offset}`);
    expect(answer.status() === 200, `from ${offset} on: ${answer.status()}`);
    const page = await answer.text();
    total = Number(page.match(/data-total="(\d+)"/)[1]);
    for (const [, uid] of page.matchAll(/data-uid="(\d+)"/g)) seen.add(Number(uid));
  }
  // What belongs together stands on one line.
  expect(seen.size === total && total > uids.length / 3 && total <= uids.length, `${seen.size} of ${total}`);
}

async function look(browser, reader, some) {
  mkdirSync(SHOTS, { recursive: true });
  const wrong = [];
  for (const { width, theme } of LOOKS) {
    await inTab(browser, { width, theme }, async (tab) => {
      const complaints = [];
      tab.on("pageerror", (error) => complaints.push(String(error)));
      tab.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
      await comeIn(tab, reader);
      for (const { name, way } of some) {
        complaints.length = 0;
        await tab.goto(way);
        await tab.locator("[data-message]").waitFor();
        const over = await tab.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (over > 0) complaints.push(`${over} px too wide`);
        await tab.screenshot({ path: join(SHOTS, `mail-${name}-${width}-${theme}.png`) });
        if (complaints.length > 0) wrong.push(`${name} ${width} ${theme}: ${complaints[0]}`);
      }
    });
  }
  expect(wrong.length === 0, wrong.join(" | "));
}
