// A folder that is not trusted yet; the core, which is installed when the user says so; and what else is missing.

import { scenario } from "../workbench.mjs";

const INSTALL_MS = 300_000;

await scenario(async (bench, page) => {
  await bench.open("app.py", "def greet");
  await bench.status("Restricted Mode");
  await bench.nothingRuns();
  await bench.seen("nothing starts in a folder that is not trusted");

  await bench.command("Workspaces: Manage Workspace Trust");
  await page
    .locator(".workspace-trust-editor .monaco-button")
    .filter({ hasText: /^Trust$/ })
    .first()
    .click();
  await page.locator(".workspace-trust-editor").press("Escape");
  await page.locator(".workspace-trust-editor").waitFor({ state: "detached" });
  await bench.toast("acclimate needs its core");
  await bench.status("acclimate: not set up");
  await bench.seen("asked before anything is downloaded");
  await bench.answer("Install");
  await bench.toast("Installing acclimate's core");
  await bench.status("acclimate: installing");
  await bench.seen("the core is being installed");

  await bench.toast("acclimate needs torch, vLLM and a base model", INSTALL_MS);
  await bench.seen("asked for the runtime and the model");
  await bench.answer("Details");
  await bench.picks("Install what is missing");
  await bench.picks("runtime");
  await bench.seen("what the doctor finds");
  await bench.press("Escape");
  await bench.status("acclimate: failed");
});
