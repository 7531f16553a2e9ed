// People: added with good and bad input, led in by a password link, suspended, removed and taken back.
import { age, at, check, comeIn, confirm, domain, enter, expect, inTab, lacks, press, refused, sees, told } from "../kit.mjs";

export async function run(house, browser) {
  const home = domain(house);
  const uma = `uma@${home}`;
  const owner = (act) => inTab(browser, { role: "owner" }, act);

  await check("people: whoever is refused is told why beside the field, and keeps what they typed", () => owner(async (tab) => {
    const ask = async (fields) => {
      await tab.goto("/panel/people/new");
      await fill(tab, home, fields);
      await press(tab, "Add a person");
    };
    await ask({ name: "Uma Two", local: "uma two@" });
    await refused(tab, "is not an address", { name: "Uma Two", local: "uma two@" });
    const taken = house.facts.accounts[0].address.split("@")[0];
    await ask({ name: "Somebody", local: taken });
    await refused(tab, "is already here", { name: "Somebody", local: taken });
    await ask({ local: "weak", password: "12345678" });
    await refused(tab, "among those that everybody tries first", { local: "weak" });
    expect((await tab.locator("[name=password]").inputValue()) === "", "the password came back");
    await ask({ local: "large", quota: "plenty" });
    await refused(tab, "“plenty” is not a size", { local: "large", quota: "plenty" });
    // A domain that the page does not offer, as a forged form would send it.
    await tab.goto("/panel/people/new");
    await fill(tab, home, { local: "stray" });
    await tab.locator("select[name=domain] option:checked").evaluate((option) => (option.value = "elsewhere.example"));
    await press(tab, "Add a person");
    await sees(tab, "elsewhere.example is not here");
    await tab.goto("/panel/people?q=stray");
    await sees(tab, "Nothing matches");
  }));

  let link = "";
  await check("people: someone new gets in with a link, which is shown once", () => owner(async (tab) => {
    await tab.goto("/panel/people/new");
    await fill(tab, home, { name: "Uma Thurau", local: "uma" });
    await press(tab, "Add a person");
    await sees(tab, `${uma} is here`);
    link = (await tab.locator(".copy.is-secret code").innerText()).trim();
    expect(link.startsWith(`${house.panel}/link/`), `the link is “${link}”`);
    await press(tab, "I have sent it");
    at(tab, `/panel/people/${uma}`);
    await sees(tab, "Uma Thurau");
  }));

  const password = "thirteen quiet herons";
  await check("people: the link opens in another browser, asks for a good password twice, and then opens nothing", () => inTab(browser, {}, async (tab) => {
    const choose = async (one, two) => {
      await tab.locator("[name=password]").fill(one);
      await tab.locator("[name=again]").fill(two);
      await press(tab, "Set the password");
    };
    await tab.goto(link);
    await sees(tab, uma);
    await choose("uma", "uma");
    await refused(tab, "at least 8 characters");
    await choose(password, `${password}!`);
    await refused(tab, "The two passwords are not the same");
    await choose(password, password);
    await tab.waitForURL("**/sign-in");
    await enter(tab, { address: uma, password });
    await tab.waitForURL("**/mail");
    const again = await tab.goto(link);
    expect(again.status() === 404 || again.status() === 410, `a used link answers ${again.status()}`);
    await sees(tab, "This link opens nothing");
  }));

  await check("people: a link that has expired, or is not whole, opens nothing", () => owner(async (tab) => {
    await tab.goto(`/panel/people/${uma}/sign-in/link`);
    await confirm(tab);
    const late = (await tab.locator(".copy.is-secret code").innerText()).trim();
    age(house, "UPDATE one_time_link SET expires_at = 0");
    for (const broken of [late, late.slice(0, -5), `${house.panel}/link/x`]) {
      await tab.goto(broken);
      await sees(tab, "This link opens nothing");
    }
  }));

  await check("people: a change of somebody else’s is not overwritten", () => owner(async (tab) => {
    await tab.goto(`/panel/people/${uma}`);
    await owner(async (other) => {
      await other.goto(`/panel/people/${uma}`);
      await other.locator("[name=name]").fill("Uma Changed");
      await press(other, "Save");
      await told(other);
    });
    await tab.locator("[name=name]").fill("Uma Late");
    await press(tab, "Save");
    await tab.getByText("Someone changed this after you opened it").first().waitFor();
    await tab.goto(`/panel/people/${uma}`);
    await sees(tab, "Uma Changed");
  }));

  await check("people: suspended, they are locked out at once; resumed, they are back", () => owner((tab) => inTab(browser, {}, async (theirs) => {
    await comeIn(theirs, { address: uma, password });
    await tab.goto(`/panel/people/${uma}`);
    await press(tab, "Suspend");
    await confirm(tab);
    await told(tab, `${uma} is suspended`);
    await theirs.goto("/panel/account");
    at(theirs, "/sign-in");
    await enter(theirs, { address: uma, password });
    await refused(theirs, "The address or the password is not right");
    await press(tab, "End the suspension");
    await told(tab, `${uma} is active again`);
    await comeIn(theirs, { address: uma, password });
  })));

  await check("people: removed after a question that names what goes, and taken back", () => owner(async (tab) => {
    await tab.goto(`/panel/people/${uma}`);
    await press(tab, "Remove");
    await tab.locator("[data-dialog-body] .goes").waitFor();
    await press(tab, "Cancel");
    await press(tab, "Remove");
    await confirm(tab);
    await told(tab, "can be restored for 30 days");
    await tab.goto(`/panel/people?q=${uma}`);
    await lacks(tab, uma);
    await tab.goto("/panel/people?state=removed");
    await tab.locator("tr", { hasText: uma }).getByRole("button", { name: "Restore" }).click();
    await told(tab, "is back");
    await tab.goto(`/panel/people/${uma}`);
    await sees(tab, "Uma Changed");
    await inTab(browser, {}, (theirs) => comeIn(theirs, { address: uma, password }));
  }));

  await check("people: removed, and undone at once from the notice", () => owner(async (tab) => {
    await tab.goto(`/panel/people/${uma}`);
    await press(tab, "Remove");
    await confirm(tab);
    await told(tab);
    await tab.locator("[data-flash]").getByRole("button", { name: "Undo" }).click();
    await told(tab);
    await tab.goto(`/panel/people/${uma}`);
    await sees(tab, "Uma Changed");
  }));

  await check("people: many are looked at first, then added; bad lines are named and change nothing", () => owner(async (tab) => {
    const lines = `address,name,quota\nimp1@${home},Import One,5000000000\nimp2@${home},"Two, Import",\nnot an address,,\nimp3@${home},,plenty\n`;
    await tab.goto("/panel/people/import");
    await tab.locator("[name=csv]").last().fill(lines);
    await press(tab, "Look at the lines");
    await sees(tab, "2 people can be added");
    await sees(tab, "2 lines were not taken");
    await tab.locator("tr", { hasText: "not an address" }).first().waitFor();
    await inTab(browser, { role: "owner" }, async (other) => {
      await other.goto("/panel/people?q=imp1");
      await sees(other, "Nothing matches");
    });
    await press(tab, "Add these people");
    await sees(tab, "2 people are here now");
    await tab.goto("/panel/people?q=imp");
    await sees(tab, `imp1@${home}`);
    await sees(tab, "Two, Import");
    await tab.goto("/panel/people/import");
    await tab.locator("[name=csv]").last().fill("name\nNobody\n");
    await press(tab, "Look at the lines");
    await refused(tab, "The first line must name the columns");
  }));

  await check("people: a file does as well as pasted lines", () => owner(async (tab) => {
    await tab.goto("/panel/people/import");
    const buffer = Buffer.from(`address,name\nimp4@${home},Import Four\n`);
    await tab.locator("[name=file]").setInputFiles({ name: "people.csv", mimeType: "text/csv", buffer });
    await press(tab, "Look at the lines");
    await sees(tab, "1 person can be added");
    await press(tab, "Add these people");
    await sees(tab, "1 person is here now");
  }));

  await check("people: several are suspended and removed together", () => owner(async (tab) => {
    const choose = async (act) => {
      await tab.goto("/panel/people?q=imp");
      for (const which of ["imp1", "imp2"]) await tab.getByRole("checkbox", { name: `${which}@${home}`, exact: true }).check();
      await press(tab, act);
    };
    await tab.goto("/panel/people");
    await press(tab, "Suspend");
    await tab.getByText("Nobody was chosen").first().waitFor();
    await choose("Suspend");
    await told(tab, "2 people are suspended");
    await choose("Remove");
    await sees(tab, "Remove 2 people?");
    await confirm(tab);
    await told(tab, "2 people are removed");
    await tab.goto("/panel/people?q=imp");
    await lacks(tab, `imp1@${home}`);
  }));
}

async function fill(tab, home, { password, ...fields }) {
  await tab.locator("main select[name=domain]").selectOption(home);
  for (const [name, value] of Object.entries(fields)) await tab.locator(`main form.fields [name=${name}]`).fill(value);
  if (password === undefined) return;
  await tab.locator("#way-password").check();
  await tab.locator("[name=password]").fill(password);
}
