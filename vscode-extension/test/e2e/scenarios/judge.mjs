// A repository with two adapters, in high contrast: dashboard, report, another version in use, and back again.

import { scenario } from "../workbench.mjs";

const NEW = "shop-20260501T101500-aaaa";
const OLD = "shop-20260401T101500-3f2a";

await scenario(async (bench, page) => {
  const complaints = [];
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy") && message.location().url.includes("acclimate")) {
      complaints.push(message.text());
    }
  });
  await bench.open("app.py", "def greet");
  await bench.status(/acclimate: (ready|busy)/);

  await bench.command("Acclimate: Open Dashboard");
  const dashboard = bench.webview();
  await dashboard.locator("caption").filter({ hasText: "exactly as they were written" }).waitFor();
  await dashboard.getByRole("img", { name: "Loss of the training" }).waitFor();
  await dashboard.getByRole("row", { name: /^adapter\+retrieval/ }).waitFor();
  await dashboard.getByRole("row", { name: new RegExp(`${NEW}.*in use`) }).waitFor();
  await bench.seen("the dashboard");

  await dashboard.getByRole("button", { name: `Use ${OLD}` }).focus();
  await bench.press("Enter"); // by the keyboard alone
  await dashboard.getByRole("row", { name: new RegExp(`${OLD}.*in use`) }).waitFor();
  await dashboard.getByRole("button", { name: `Promote ${NEW}` }).click();
  await bench.tell("Why?", "better in review");
  await dashboard.getByRole("row", { name: new RegExp(`${NEW}.*promoted, in use`) }).waitFor();
  await bench.seen("promoted by hand");

  await dashboard.getByRole("button", { name: `Report ${NEW}` }).click();
  const report = bench.webview();
  await report.locator("h1").filter({ hasText: NEW }).waitFor();
  const ground = await report.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
  if (ground !== "rgb(0, 0, 0)") {
    throw new Error(`the report does not follow the theme: its ground is ${ground}`);
  }
  await bench.seen("the report in the colours of the editor");
  await bench.press("Control+W");

  await bench.command("Acclimate: Roll Back Adapter");
  await bench.tell("What is wrong with it?");
  await bench.toast(`${OLD} completes now`);
  await bench.command("Acclimate: Choose Adapter Version");
  await bench.picks(`${NEW}`);
  await bench.seen("the versions to choose from");
  await bench.pick("No adapter");
  await bench.tab("app.py");
  await page.locator(".statusbar-item").filter({ hasText: "acclimate" }).first().hover();
  await page.locator(".monaco-hover").filter({ hasText: "none, the base model completes" }).first().waitFor();
  await bench.seen("what the status bar tells");

  if (complaints.length > 0) {
    throw new Error(complaints.join("\n"));
  }
});
