// What a person does in the workbench, in one line each. Selectors are those of Code 1.139.

import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { processes } from "./processes.mjs";

const { ACCLIMATE_E2E_URL: address, ACCLIMATE_E2E_REPOSITORY: repository, ACCLIMATE_E2E_SHOTS: shots } = process.env;
const PATIENCE_MS = 30_000; // the machine may be busy
const KEY_MS = 3_000; // from a key to what it opens
const GHOST = ".ghost-text-decoration, .ghost-text";
// Without the last ones it looks for hosts outside, many at a time.
const BROWSER = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Runs a scenario in a fresh browser; a failure leaves a picture and exit code 1. */
export async function scenario(work) {
  mkdirSync(shots, { recursive: true });
  const executablePath = process.env.ACCLIMATE_E2E_CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: BROWSER });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  const workbench = new Workbench(page);
  try {
    await workbench.load();
    await work(workbench, page);
  } catch (error) {
    console.error(`${workbench.elapsed} failed: ${error.stack}`);
    await workbench.shot("failed");
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

const begun = Date.now();
let pictures = 0;

class Workbench {
  constructor(page) {
    this.page = page;
  }

  get elapsed() {
    return `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  }

  /** Opens the repository, or loads the window anew. */
  async load() {
    await this.page.goto(`${address}/?folder=${repository}`, { waitUntil: "domcontentloaded" });
    await this.page.waitForSelector(".explorer-folders-view .monaco-list-row");
  }

  /** Another window that has the same repository open, with extensions of its own. */
  async another() {
    const other = new Workbench(await this.page.context().newPage());
    await other.load();
    return other;
  }

  /** Says what has been seen, and keeps a picture of it. */
  async seen(name) {
    console.log(`${this.elapsed} ${name}`);
    pictures += 1;
    await this.shot(`${String(pictures).padStart(2, "0")}-${name.replaceAll(/[^a-z0-9]+/gi, "-").toLowerCase()}`);
  }

  shot(name) {
    return this.page.screenshot({ path: `${shots}/${name}.png` });
  }

  async press(...keys) {
    for (const key of keys) {
      await this.page.keyboard.press(key);
    }
  }

  type(text, delay = 40) {
    return this.page.keyboard.type(text, { delay });
  }

  async open(file, text) {
    await this.#ask(
      "Control+P",
      file,
      this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: file }),
    );
    await this.line(text);
  }

  /** Asks the quick input, and takes what it offers. A webview that is just closed or shown swallows keys: then anew. */
  async #ask(key, question, offer) {
    const input = this.page.locator(".quick-input-widget input:visible");
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      await this.press(key);
      if (await isThere(input, KEY_MS)) {
        await this.type(question, 0);
        if (await isThere(offer.first(), KEY_MS)) {
          await this.press("Enter");
          return;
        }
        await this.press("Escape");
      }
    }
    throw new Error(`${key} offers nothing for ${question}`);
  }

  /** Waits for a line of the file that is open. Spaces are told apart from others in the workbench's markup. */
  line(text) {
    return this.page
      .locator(".monaco-editor .view-line")
      .filter({ hasText: spaced(text) })
      .first()
      .waitFor();
  }

  /** Brings a file that is open to the front, also from within a webview, which keeps the keys to itself. */
  async tab(file) {
    await this.page.locator(".tabs-container .tab").filter({ hasText: file }).click();
    await this.page.locator(".monaco-editor .view-line").first().waitFor();
  }

  async focusEditor() {
    await this.page.locator(".monaco-editor .view-lines").first().click();
  }

  /** Waits for ghost text that begins with this; the workbench cuts it into pieces of one colour. */
  async ghost(text) {
    const begins = ([selector, wanted]) =>
      [...document.querySelectorAll(selector)]
        .map((piece) => piece.textContent)
        .join("")
        .replaceAll("\u00a0", " ")
        .startsWith(wanted);
    await this.page.waitForFunction(begins, [GHOST, text]);
  }

  async noGhost() {
    await this.page.waitForFunction((selector) => document.querySelector(selector) === null, GHOST);
  }

  async command(title) {
    await this.#ask("F1", title, this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: title }));
  }

  /** Answers an input box that asks this; without an answer, as it proposes. */
  async tell(question, answer) {
    const input = this.page
      .locator(".quick-input-widget")
      .filter({ hasText: question })
      .locator("input:visible")
      .first();
    await input.waitFor();
    if (answer !== undefined) {
      await input.fill(answer);
    }
    await input.press("Enter");
  }

  async pick(label) {
    await this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first().click();
  }

  picks(label) {
    return this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: label }).first().waitFor();
  }

  status(text, timeout = PATIENCE_MS) {
    return this.page.locator(".statusbar-item").filter({ hasText: text }).first().waitFor({ timeout });
  }

  /** Fails if the extension shows itself, or a process of ours runs. */
  async nothingRuns() {
    const items = await this.page.locator(".statusbar-item").filter({ hasText: "acclimate" }).count();
    const found = processes("acclimate_server");
    if (items + found.length !== 0) {
      throw new Error(`something was started: ${items} items of the status bar, processes ${found}`);
    }
  }

  toast(text, timeout = PATIENCE_MS) {
    return this.page.locator(".notification-toast").filter({ hasText: text }).first().waitFor({ timeout });
  }

  /** Fails if something with these words is asked or told. */
  async noToast(text) {
    if (await this.page.locator(".notification-toast").filter({ hasText: text }).count()) {
      throw new Error(`a notification says ${text}`);
    }
  }

  async answer(label) {
    await this.page.locator(".notification-toast .monaco-button").filter({ hasText: label }).first().click();
  }

  /** Puts the cursor there; both count from 1. */
  async at(line, column) {
    const offer = this.page.locator(".quick-input-list .monaco-list-row").filter({ hasText: /Press 'Enter' to go/ });
    await this.#ask("Control+G", `${line}:${column}`, offer);
    await this.page
      .locator(".statusbar-item")
      .filter({ hasText: `Ln ${line}, Col ${column}` })
      .waitFor();
  }

  async squiggle() {
    await this.page.locator(".monaco-editor .squiggly-warning").first().waitFor();
  }

  noSquiggle() {
    return this.squiggles(0);
  }

  async squiggles(count) {
    const isSo = (wanted) => document.querySelectorAll(".monaco-editor .squiggly-warning").length === wanted;
    await this.page.waitForFunction(isSo, count);
  }

  /** Opens the menu of code actions at the cursor, and waits for one of them. */
  async offers(label) {
    const action = this.#action(label);
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      await this.press("Control+.");
      if (await isThere(action, KEY_MS)) {
        return;
      }
      await this.press("Escape");
    }
    throw new Error(`nothing offers ${label}`);
  }

  async choose(label) {
    await this.#action(label).click();
  }

  #action(label) {
    return this.page.locator(".action-widget .monaco-list-row").filter({ hasText: label }).first();
  }

  /** The page inside the webview that is shown. */
  webview() {
    return this.page.frameLocator("iframe.webview.ready").last().frameLocator("iframe#active-frame");
  }
}

function isThere(locator, timeout) {
  return locator.waitFor({ timeout }).then(
    () => true,
    () => false,
  );
}

function spaced(text) {
  return text instanceof RegExp
    ? text
    : new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(" ", "\\s"));
}
