// A machine without any Python.

import { scenario } from "../workbench.mjs";

await scenario(async (bench) => {
  await bench.open("app.py", "def greet");
  await bench.toast("acclimate needs Python 3.11");
  await bench.toast("Choose Python Interpreter");
  await bench.status("acclimate: not set up");
  await bench.seen("no python");
  await bench.answer("Try Again");
  await bench.toast("acclimate needs Python 3.11");
});
