// The real engine and the real model: a completion, a training that is cancelled, one that comes to its verdict, the
// report, the dashboard, and another version in use.

import { scenario } from "../workbench.mjs";

const ENGINE_MS = 400_000; // 40 s on two idle cores; other tests may run beside
const TRAINING_MS = 1_500_000; // half a minute of training and what is made once: general code, a primer, a control

await scenario(async (bench, page) => {
  await bench.open("sums.py", "def add");
  await bench.status(/acclimate: (ready|busy)/, ENGINE_MS);
  await bench.seen("the engine is ready");

  await bench.focusEditor();
  await bench.press("Control+End");
  await bench.type("ret");
  await bench.press("Escape");
  await bench.type("urn ");
  await bench.command("Acclimate: Complete Here");
  await bench.ghost("first + second");
  await bench.seen("ghost text of the real model");
  await bench.press("Tab");
  await bench.line("return first + second");
  await bench.press("Control+S");
  await bench.seen("taken by Tab");

  await bench.command("Acclimate: Retrain on This Repository");
  await bench.toast(/Acclimatising.*Mining/);
  await bench.answer("Cancel");
  await bench.toast("the training was cancelled");
  await bench.seen("a training cancelled");
  await bench.command("Notifications: Clear All Notifications");

  await bench.command("Acclimate: Retrain on This Repository");
  await bench.command("Acclimate: Open Dashboard");
  await bench.toast(/Acclimatising.*Training, \d+ of \d+, loss \d/, TRAINING_MS);
  await bench.status(/training \d+%/);
  await bench.webview().locator("svg[role=img]").waitFor({ timeout: TRAINING_MS });
  await bench.seen("the loss while it trains");

  await bench.toast(/The new adapter /, TRAINING_MS);
  await bench.seen("the verdict");
  await bench.answer("Open Report");
  await bench.webview().locator("h1").filter({ hasText: "Adapter sources-" }).waitFor();
  await bench.webview().locator("#contenders table").first().waitFor();
  await bench.seen("the report");
  await bench.press("Control+W");

  await bench.command("Acclimate: Open Dashboard");
  const dashboard = bench.webview();
  await dashboard.getByRole("row", { name: /^sources-/ }).waitFor();
  await dashboard.getByRole("heading", { name: "Comparison" }).evaluate((heading) => heading.scrollIntoView());
  await bench.seen("the dashboard");

  await bench.command("Acclimate: Choose Adapter Version");
  await bench.picks("No adapter");
  await bench.seen("the versions to choose from");
  await bench.pick("sources-");
  await bench.tab("sums.py");
  await page.locator(".statusbar-item").filter({ hasText: "acclimate" }).first().hover();
  await page
    .locator(".monaco-hover")
    .filter({ hasText: /Adapter: sources-\S+ \(v1\), made \d+ minutes ago/ })
    .first()
    .waitFor();
  await bench.seen("which adapter completes");

  await bench.command("Acclimate: Roll Back Adapter");
  await bench.tell("What is wrong with it?");
  await bench.toast("the base model completes now");
  await bench.seen("rolled back");
});
