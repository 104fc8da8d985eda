// Builds the wheel of this very checkout into wheel/, for the .vsix to carry.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";

const own = "../.venv/bin/python";
const python = process.env.ACCLIMATE_PYTHON ?? (existsSync(own) ? own : "python3");
rmSync("wheel", { recursive: true, force: true });
mkdirSync("wheel");
const pip = [
  "-P",
  "-m",
  "pip",
  "--disable-pip-version-check",
  "wheel",
  "-qq",
  "--no-deps",
  "--wheel-dir",
  "wheel",
  "..",
];
execFileSync(python, pip, { stdio: "inherit" });
console.log(`wheel/${readdirSync("wheel").join(", ")}`);
