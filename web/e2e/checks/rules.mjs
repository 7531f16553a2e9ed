// Rules: built line by line, ordered, being away, and a script by hand; with scripts and without. Mail that comes afterwards goes by them.
import { at, check, comeIn, expect, inTab, lacks, newcomer, press, sees, told } from "../kit.mjs";
import { deliver, line } from "./webmail.mjs";

const RULES = "/panel/account/rules";

export async function run(house, browser) {
  const plover = await newcomer(house, browser, "plover");
  const mine = (act, how = {}) => inTab(browser, how, async (tab) => {
    await comeIn(tab, plover);
    return act(tab);
  });
  const build = async (tab, name, subject, folder) => {
    await tab.goto(`${RULES}/rule`);
    await tab.locator("[name=name]").fill(name);
    await tab.locator("[name=of]").first().selectOption("subject");
    await tab.locator("[name=how]").first().selectOption("contains");
    await tab.locator("[name=value]").first().fill(subject);
    await tab.locator("[name=act]").first().selectOption("move");
    await tab.locator("[name=act_value]").first().fill(folder);
    await tab.locator("[name=stops]").check();
    await press(tab, "Save");
    await told(tab, "Your rules are saved");
    at(tab, RULES);
  };
  const names = async (tab) => (await tab.locator("ol.rules h3").allInnerTexts()).map((name) => name.trim());
  const lies = async (tab, folder, subject) => {
    await tab.goto("/mail");
    await tab.goto(await tab.locator("a[data-folder]", { hasText: folder }).first().getAttribute("href"));
    await line(tab, subject).waitFor();
  };

  for (const js of [true, false]) {
    const how = js ? "with scripts" : "without scripts";
    const [one, other] = [`Openings ${js}`, `Endings ${js}`];
    await check(`rules: two are built, and read back as they were, ${how}`, () => mine(async (tab) => {
      await build(tab, one, `gambit ${js}`, one);
      await build(tab, other, `gambit ${js}`, other);
      await sees(tab, `Move it to ${one}`);
      await tab.locator("ol.rules li", { hasText: one }).getByRole("link").first().click();
      for (const [field, expected] of [["name", one], ["of", "subject"], ["value", `gambit ${js}`], ["act", "move"], ["act_value", one]]) {
        const kept = await tab.locator(`main [name=${field}]`).first().inputValue();
        expect(kept === expected, `${expected} in ${field} became “${kept}”`);
      }
    }, { js }));
    await check(`rules: mail goes by the first of them, and by the other once they change places, ${how}`, () => mine(async (tab) => {
      deliver(house, plover, `A gambit ${js}`, "e4 e5 f4\r\n", `<first-${js}@x.example>`);
      await lies(tab, one, `A gambit ${js}`);
      await tab.goto(RULES);
      await tab.locator("ol.rules li", { hasText: other }).getByRole("button", { name: "Up" }).first().click();
      await told(tab, "Your rules are saved");
      const order = (await names(tab)).filter((name) => name.includes(String(js)));
      expect(order[0] === other, `the order is ${order}`);
      deliver(house, plover, `The second gambit ${js}`, "d4 d5 c4\r\n", `<second-${js}@x.example>`);
      await lies(tab, other, `The second gambit ${js}`);
    }, { js }));
  }
  await check("rules: being away is said, read back and ended", () => mine(async (tab) => {
    await tab.goto(`${RULES}/absence`);
    await tab.locator("[name=is_on]").check();
    await tab.locator("[name=until]").fill("2099-12-31");
    await tab.locator("[name=text]").fill("On the shore.");
    await press(tab, "Save");
    await told(tab, "Your rules are saved");
    await sees(tab, "You are away");
    await tab.goto(`${RULES}/absence`);
    expect((await tab.locator("[name=until]").inputValue()) === "2099-12-31", "the last day is lost");
    expect((await tab.locator("[name=text]").inputValue()) === "On the shore.", "the text is lost");
    await tab.locator("[name=is_on]").uncheck();
    await press(tab, "Save");
    await told(tab, "Your rules are saved");
    await lacks(tab, "You are away");
  }));
  await check("rules: a broken script is told with its place, and what was typed stays", () => mine(async (tab) => {
    await tab.goto(`${RULES}/script`);
    await tab.locator("[name=script]").fill("keep;\n  kep;\n");
    await press(tab, "Save");
    await tab.locator("[data-errors]", { hasText: "Line 2, column 3" }).waitFor();
    await sees(tab, "Did you mean “keep”?");
    expect((await tab.locator("[name=script]").inputValue()) === "keep;\n  kep;\n", "what was typed is lost");
  }));
}
