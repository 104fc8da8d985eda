// Bundles the extension and its webview's script, or (--tests) the unit tests.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const shared = { bundle: true, logLevel: "warning", target: "es2023" };
const node = { ...shared, platform: "node", format: "cjs", external: ["vscode"] };

if (process.argv.includes("--tests")) {
  const entryPoints = readdirSync("test/unit").map((name) => `test/unit/${name}`);
  await build({ ...node, entryPoints, outdir: "build/unit" });
} else {
  // The language client is twelve times as large as all of ours, and is read only when a server is to be started.
  const activated = { ...node, external: ["vscode", "./client"], supported: { "dynamic-import": false } };
  await build({ ...activated, entryPoints: ["src/extension.ts"], outdir: "dist", minify: true });
  await build({ ...node, entryPoints: ["src/client.ts"], outdir: "dist", minify: true });
  await build({ ...shared, entryPoints: ["src/webview/dashboard.ts"], format: "iife", outdir: "dist", minify: true });
}
