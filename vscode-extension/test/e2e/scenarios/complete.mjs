// Typing, with an engine that says what it is told to: ghost text, accepted whole, by the word and by the line, asked for
// by hand with another candidate, and in a cell of a notebook; pauses; the menu; and a server that is killed.

import { readFileSync } from "node:fs";
import { processes } from "../processes.mjs";
import { scenario } from "../workbench.mjs";

await scenario(async (bench, page) => {
  await bench.nothingRuns(); // before a file is open
  await bench.open("app.py", "def greet");
  await bench.status(/acclimate: (ready|busy)/);
  await bench.seen("the server is ready");
  await bench.command("Developer: Show Running Extensions");
  const running = page.locator(".runtime-extensions-editor .extension").filter({ hasText: "acclimate" });
  await page.locator(".runtime-extensions-editor .extension").first().hover();
  for (let turn = 0; turn < 30 && !(await running.count()); turn++) await page.mouse.wheel(0, 200); // the fast ones stand below
  console.log(`activation: ${/\d+ms/.exec(await running.innerText())}`);
  await bench.press("Control+W");

  await bench.focusEditor();
  await bench.press("Control+End");
  await bench.type("gre");
  await bench.ghost('et("world")');
  await bench.seen("ghost text");
  await bench.press("Tab");
  await bench.line('greet("world")');
  await bench.seen("accepted by Tab");

  await bench.press("Enter");
  await bench.type("ass");
  await bench.ghost('et("world")');
  await bench.press("Control+ArrowRight");
  await bench.ghost('("world")');
  await bench.seen("accepted by the word");
  await bench.press("Control+Alt+ArrowRight");
  await bench.noGhost();
  await bench.press("Enter");

  await bench.command("Acclimate: Pause or Resume in This File");
  await bench.status("acclimate: paused");
  await bench.focusEditor();
  await bench.press("Control+End");
  await bench.type("bask");
  await bench.noGhost();
  await bench.seen("paused in this file");
  await bench.command("Acclimate: Complete Here");
  await bench.ghost('et("world")');
  await bench.seen("asked for by hand in a paused file");
  await bench.press("Alt+]");
  await bench.ghost('et("moon")');
  await bench.seen("the next candidate");
  await bench.press("Alt+[");
  await bench.ghost('et("world")');
  await bench.press("Escape");
  await bench.command("Acclimate: Pause or Resume in This File");
  await bench.status(/acclimate: (ready|busy)/);
  for (const where of ["Pause or Resume in This Workspace", "Pause or Resume Everywhere", "Switch This Language On"]) {
    await bench.command(`Acclimate: ${where}`);
    await bench.status("acclimate: paused");
    await bench.command(`Acclimate: ${where}`);
    await bench.status(/acclimate: (ready|busy)/);
  }

  await bench.open("cells.ipynb", "def greet");
  const cell = page.locator(".notebookOverlay .cell-editor-container .view-lines").filter({ hasText: "A second cell" });
  await cell.click();
  await bench.press("Control+End", "Enter");
  await bench.type("gre");
  await bench.ghost('et("world")');
  await bench.seen("ghost text in a cell of a notebook");
  await bench.press("Tab");
  await cell.filter({ hasText: 'greet("world")' }).waitFor();
  await bench.press("Control+S");
  await page.locator(".tab.active:not(.dirty)").waitFor();
  await bench.press("Control+W");
  const cells = JSON.parse(readFileSync(`${process.env.ACCLIMATE_E2E_REPOSITORY}/cells.ipynb`, "utf-8")).cells;
  if (cells[1].source.join("") !== '# A second cell\ngreet("world")') {
    throw new Error(`another cell was saved: ${JSON.stringify(cells[1])}`);
  }
  await bench.line("def greet");

  await page.locator(".statusbar-item").filter({ hasText: "acclimate" }).first().click();
  await bench.picks("Retrain on this repository");
  await bench.picks("Pause in this workspace");
  await bench.seen("the menu behind the status bar");
  await bench.press("Escape");

  const before = await processes("acclimate_server serve");
  before.forEach((pid) => process.kill(pid, "SIGKILL"));
  await bench.toast("was started again");
  await bench.seen("started again after it was killed");
  await bench.status(/acclimate: (ready|busy)/);
  const after = await processes("acclimate_server serve");
  if (before.length !== 1 || after.length !== 1 || after[0] === before[0]) {
    throw new Error(`one server before and another one after: ${before} and ${after}`);
  }
  await bench.focusEditor();
  await bench.press("Control+End", "Enter");
  await bench.type("mark");
  await bench.ghost('et("world")');
  await bench.press("Tab", "Control+S");
  await bench.line('market("world")');
  await page.locator(".tab.active:not(.dirty)").waitFor();
  const saved = readFileSync(`${process.env.ACCLIMATE_E2E_REPOSITORY}/app.py`, "utf-8");
  if (!saved.endsWith('asset("world")\nbask\nmarket("world")')) {
    // "bask" stood there, unsaved, when it was killed
    throw new Error(`text was lost: ${JSON.stringify(saved)}`);
  }

  (await processes("acclimate_server serve")).forEach((pid) => process.kill(pid, "SIGKILL"));
  await bench.toast("has ended unexpectedly again");
  await bench.status("acclimate: not set up");
  await bench.seen("left alone after it ended a second time");
  await bench.answer("Restart");
  await bench.status(/acclimate: (ready|busy)/);
});
