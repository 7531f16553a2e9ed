// node run.mjs [NAME…]: runs the checks of `checks/NAME.mjs`, or of all files there, in one house with one browser.
// node run.mjs --shots FOLDER [NAME…]: a picture of every page, or of those whose names begin so, at each width in each theme.
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { THEMES, WIDTHS, browser as open, check, house as start, inTab, skip, tally } from "./kit.mjs";
import { PAGES, pathOf, viewer } from "./pages.mjs";

const [first, ...rest] = process.argv.slice(2);
const house = await start();
let code = 1;
try {
  if (house.panel) code = await visit();
  else {
    skip("browser", "this house's ready line names no panel");
    code = tally("browser");
  }
} finally {
  await house.stop();
}
process.exit(code);

async function visit() {
  const browser = await open(house);
  try {
    if (first === "--shots") {
      await shoot(browser, ...rest);
      return tally("shots");
    }
    const all = readdirSync(new URL("checks/", import.meta.url)).map((file) => file.replace(/\.mjs$/, "")).sort();
    for (const name of first ? [first, ...rest] : all) {
      const { run } = await import(`./checks/${name}.mjs`);
      await run(house, browser);
    }
    return tally("browser");
  } finally {
    await browser.close();
  }
}

async function shoot(browser, folder = "shots", ...names) {
  mkdirSync(folder, { recursive: true });
  const wanted = PAGES.filter((page) => !names.length || names.some((name) => page.name.startsWith(name)));
  for (const role of new Set(wanted.map(viewer))) {
    const pages = wanted.filter((page) => viewer(page) === role);
    for (const width of WIDTHS) {
      for (const theme of THEMES) {
        await inTab(browser, { role, width, theme }, async (tab) => {
          for (const page of pages) {
            await check(`${page.name} ${width} ${theme}`, async () => {
              await tab.goto(await pathOf(page, house, tab));
              await tab.screenshot({ path: join(folder, `${page.name}-${width}-${theme}.png`), fullPage: true });
            });
          }
        });
      }
    }
  }
}
