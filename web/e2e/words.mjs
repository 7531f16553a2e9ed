// What the pages say, from their catalogues; and English that has been left in a French page: pieces of the English catalogue that the
// French one has nowhere.
import { readdirSync, readFileSync } from "node:fs";

const WORDS = new URL("../../templates/words/", import.meta.url);
const LONG = 12; // letters; shorter pieces may be the same word, or a name

// Pieces between the gaps of all messages of a language.
function pieces(language) {
  const folder = new URL(`${language}/`, WORDS);
  const files = readdirSync(folder).filter((name) => name.endsWith(".ftl"));
  const lines = files.flatMap((name) => readFileSync(new URL(name, folder), "utf8").split("\n"));
  const texts = lines
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.replace(/^[a-z][a-z0-9-]* =/, "").replace(/^\s*\*?\[[a-z0-9]+\]/, ""));
  return texts.flatMap((text) => text.split(/\{[^}]*\}?|\}/)).map((piece) => piece.trim()).filter((piece) => piece !== "");
}

const french = pieces("fr").join("\n");
const english = [...new Set(pieces("en"))].filter((piece) => piece.length > LONG && !french.includes(piece));

// Which of them stand in `text`.
export function leftovers(text) {
  return english.filter((piece) => text.includes(piece));
}

// What a page says in this language: of a message without gaps.
export function said(language, id) {
  const lines = readFileSync(new URL(`${language}/${id.split("-")[0]}.ftl`, WORDS), "utf8").split("\n");
  return lines.find((line) => line.startsWith(`${id} = `)).slice(id.length + 3);
}
