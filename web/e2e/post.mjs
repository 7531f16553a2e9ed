// Mail that doesn't come through the browser: put into mailboxes by IMAP, as a program moves it; and the suites that others wrote.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";

const PATIENCE_MS = 60_000;

// A folder of the suites: under $RELAIS_SUITES, or beside the project. None where it is absent.
export function suite(name) {
  const folder = process.env.RELAIS_SUITES ?? fileURLToPath(new URL("../../../shared/suites", import.meta.url));
  const path = join(folder, name);
  return existsSync(path) ? path : null;
}

// All files below `folder` whose names end in one of `ends`, in a fixed order.
export function files(folder, ends) {
  const found = readdirSync(folder, { recursive: true }).filter((name) => ends.some((end) => name.endsWith(end)));
  return found.sort().map((name) => join(folder, name));
}

// As mail travels: lines end with CRLF, and there are no NULs, which a literal can't hold (RFC 9051 §9).
export function travelled(octets) {
  const text = octets.toString("latin1").replace(/\r?\n|\r/g, "\r\n").replaceAll("\0", "");
  return Buffer.from(text, "latin1");
}

// Words as a header holds them, whatever they are (RFC 2047).
export function encoded(words) {
  const pieces = [];
  let piece = "";
  for (const letter of words) {
    if (Buffer.byteLength(piece + letter) > 42) {
      pieces.push(piece);
      piece = "";
    }
    piece += letter;
  }
  pieces.push(piece);
  return pieces.map((one) => `=?utf-8?B?${Buffer.from(one).toString("base64")}?=`).join("\r\n ");
}

// A mailbox by IMAP: `say` gives what the server said to a command, and throws where it said no.
export async function imap(house, { address, password }) {
  const socket = connect({ host: "localhost", port: house.facts.ports.imaps, ca: readFileSync(house.facts.ca), servername: "localhost" });
  const waiting = new Map();
  let [count, rest] = [0, ""];
  const fail = (error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  socket.setEncoding("latin1").setTimeout(PATIENCE_MS, () => socket.destroy(new Error("IMAP: no answer")));
  socket.on("error", fail).on("close", () => fail(new Error("IMAP: hung up")));
  let untagged = [];
  socket.on("data", (text) => {
    const lines = (rest + text).split("\r\n");
    rest = lines.pop();
    for (const line of lines) {
      const [tag, ...said] = line.split(" ");
      const asked = waiting.get(tag);
      if (!asked) {
        untagged.push(line);
        continue;
      }
      waiting.delete(tag);
      const answer = { text: said.join(" "), untagged };
      untagged = [];
      said[0] === "OK" ? asked.resolve(answer) : asked.reject(new Error(`${asked.command}: ${answer.text}`));
    }
  });
  // `literal` stands at the command's end, and isn't waited for (RFC 7888).
  const say = (command, literal) => {
    const tag = `a${(count += 1)}`;
    const told = new Promise((resolve, reject) => waiting.set(tag, { resolve, reject, command: command.split(" ", 2).join(" ") }));
    socket.write(literal ? `${tag} ${command} {${literal.length}+}\r\n` : `${tag} ${command}\r\n`);
    if (literal) socket.write(literal);
    if (literal) socket.write("\r\n");
    return told;
  };
  await say(`LOGIN "${address}" "${password}"`);
  return {
    say,
    // Puts messages in, and gives their UIDs (RFC 4315); none for one that was refused.
    async append(mailbox, messages, flags = "") {
      const uids = [];
      for (let at = 0; at < messages.length; at += 50) {
        const told = messages.slice(at, at + 50).map((octets) => say(`APPEND "${mailbox}" (${flags})`, octets));
        for (const one of await Promise.allSettled(told)) {
          uids.push(one.status === "fulfilled" ? Number(one.value.text.match(/APPENDUID \d+ (\d+)/)?.[1]) : null);
        }
      }
      return uids;
    },
    async close() {
      await say("LOGOUT").catch(() => {});
      socket.destroy();
    },
  };
}

// For one act, with a connection of its own.
export async function byImap(house, who, act) {
  const mailbox = await imap(house, who);
  try {
    return await act(mailbox);
  } finally {
    await mailbox.close();
  }
}

// Where a mailbox stands in the webmail, by its name there.
export async function wayTo(tab, title) {
  await tab.goto("/mail");
  return tab.locator("a[data-folder]", { hasText: title }).first().getAttribute("href");
}
