// A repository that gave up a name: whoever writes it again is told so on saving, and shown the commits. What is said is
// put right, dismissed, explained, switched off and on. Then a doc-comment by an engine that says what it is told to.

import { readFileSync } from "node:fs";
import { scenario } from "../workbench.mjs";

const FILE = "order.py";
const OLD = "send_note";
const NEW = "deliver_note";
const LINES = readFileSync(`${process.env.ACCLIMATE_E2E_REPOSITORY}/src/${FILE}`, "utf-8").split("\n").length;

await scenario(async (bench, page) => {
  const problem = page.locator(".markers-panel .monaco-list-row").filter({ hasText: `\`${OLD}\` was replaced` });
  await bench.open(FILE, "def order_total_0");
  await bench.status(/acclimate: (ready|busy)/);
  await bench.answer("Later"); // to a retraining

  await bench.at(LINES, 1);
  await bench.type("\ndef remind(order):\n");
  await bench.type(`${OLD}(order)`);
  await bench.press("Control+S");
  await bench.squiggle();
  await bench.seen("the comment on what was saved");
  await bench.command("Problems: Focus on Problems View");
  await problem.first().waitFor();
  const said = await problem.first().innerText();
  if (!said.includes("acclimate") || !said.includes("replaced-name")) {
    throw new Error(`the entry does not say who speaks: ${said}`);
  }
  await bench.seen("the comment among the problems");
  await bench.command("View: Hide Panel");

  await bench.at(LINES + 2, 7);
  await bench.command("Show or Focus Hover");
  const hover = page.locator(".monaco-hover").filter({ hasText: /Day 4/ });
  await hover
    .filter({ hasText: `replaced by \`${NEW}\`` })
    .first()
    .waitFor();
  await bench.seen("the commits that show it");
  await bench.press("Escape", "Escape");

  await bench.offers(`Replace by \`${NEW}\``);
  await bench.seen("what can be done about it");
  await bench.choose(`Replace by \`${NEW}\``);
  await bench.line(`    ${NEW}(order)`);
  await bench.noSquiggle();
  await bench.press("Control+S");
  await page.locator(".tab.active:not(.dirty)").waitFor();
  await bench.seen("put right");

  await bench.press("Control+End", "Enter");
  await bench.type(`${OLD}(order, 2)`);
  await bench.press("Control+S");
  await bench.squiggle();
  await bench.offers("Dismiss here");
  await bench.choose("Dismiss here");
  await bench.noSquiggle();
  await bench.seen("dismissed here");

  await bench.press("Control+End", "Enter");
  await bench.type(`${OLD}(order, 3)`);
  await bench.command("Acclimate: Review What Changed in Open Files");
  await bench.squiggle();
  await bench.seen("reviewed on request without a save");
  await bench.command("Acclimate: Switch Review Comments On or Off");
  await bench.noSquiggle();
  await bench.seen("review switched off");
  await page.locator(".statusbar-item").filter({ hasText: "acclimate" }).first().click();
  await bench.picks("Resume review comments");
  await bench.seen("the menu while review is off");
  await bench.pick("Resume review comments");
  await bench.squiggle();
  await bench.seen("review switched on again");

  await bench.at(LINES + 4, 7);
  await bench.offers("Explain");
  await bench.choose("Explain");
  await bench.webview().locator("h2").filter({ hasText: "Commits that show it" }).waitFor();
  await bench.seen("explained");
  await bench.press("Control+W");
  await bench.line("def remind");

  await bench.open("stale.py", "def recall");
  await bench.noSquiggle(); // nobody has changed it
  await bench.command("Acclimate: Review This File or Selection");
  await bench.squiggle();
  await bench.seen("a file reviewed on request that was not changed");
  await bench.press("Control+W");
  await bench.line("def remind");

  await bench.at(LINES + 4, 7);
  await bench.offers("Never say this again in this repository");
  await bench.choose("Never say this again in this repository");
  await bench.noSquiggle();
  await bench.seen("never said again");

  await bench.offers("Write a doc-comment for `remind`");
  await bench.seen("a doc-comment is offered");
  await bench.choose("Write a doc-comment for `remind`");
  await bench.line('    """Reminds somebody of an order."""');
  await bench.press("Control+S");
  await page.locator(".tab.active:not(.dirty)").waitFor();
  await bench.seen("the doc-comment");

  await page.locator(".statusbar-item").filter({ hasText: "acclimate" }).first().hover();
  await page.locator(".monaco-hover").filter({ hasText: "Review: on each save." }).first().waitFor();
  await bench.seen("what the status bar tells of reviews");

  const saved = readFileSync(`${process.env.ACCLIMATE_E2E_REPOSITORY}/src/${FILE}`, "utf-8");
  const written = [
    "def remind(order):",
    '    """Reminds somebody of an order."""',
    `    ${NEW}(order)`,
    `    ${OLD}(order, 2)`,
    `    ${OLD}(order, 3)`,
  ];
  if (!saved.endsWith(`\n${written.join("\n")}`)) {
    throw new Error(`other text was saved: ${JSON.stringify(saved.slice(-200))}`);
  }
});
