// Two windows on one repository that has moved on from its adapter. One engine of this machine completes in both, and
// what one of them trains the other one does not train a second time.

import { processes } from "../processes.mjs";
import { scenario } from "../workbench.mjs";

const ENGINE = "fake_engine.py";
const SERVER = "acclimate_server serve";
const TRAINING = "job.json";
const SUGGESTION = /new lines .* since the data of/;

await scenario(async (bench) => {
  await bench.open("app.py", "def greet");
  await bench.status(/acclimate: (ready|busy)/);
  await bench.toast(SUGGESTION);
  await bench.seen("a retraining is suggested");
  await bench.answer("Retrain");
  await bench.toast(/Acclimatising.*waiting for its end/);
  await bench.status("acclimate: training");
  await bench.seen("the training of the first window");

  const other = await bench.another();
  await other.open("till.py", "def greet");
  await other.status(/acclimate: (ready|busy)/);
  for (const [window, name] of [
    [bench, "the first"],
    [other, "the second"],
  ]) {
    await window.focusEditor();
    await window.press("Control+End");
    await window.type("gre");
    await window.ghost('et("world")');
    await window.seen(`ghost text in ${name} window`);
    await window.press("Tab");
    await window.line('greet("world")');
  }
  count({ [SERVER]: 2, [ENGINE]: 1, [TRAINING]: 1 });

  await other.command("Acclimate: Retrain on This Repository");
  await other.toast(/A training of this repository runs already \(\d+T\d+-\w+\).*cancel it where it was started/);
  await other.seen("the second window says which training runs");
  await other.noToast(SUGGESTION); // once for both
  count({ [TRAINING]: 1 });

  await bench.answer("Cancel");
  await bench.toast("the training was cancelled");
  count({ [TRAINING]: 0 });
  await other.command("Acclimate: Retrain on This Repository");
  await other.toast(/Acclimatising.*waiting for its end/);
  count({ [ENGINE]: 1, [TRAINING]: 1 });
  await other.answer("Cancel");
  await other.toast("the training was cancelled");
});

function count(wanted) {
  for (const [words, number] of Object.entries(wanted)) {
    const found = processes(words);
    if (found.length !== number) {
      throw new Error(`${number} processes of ${words} were expected, and there are ${found.length}: ${found}`);
    }
  }
}
