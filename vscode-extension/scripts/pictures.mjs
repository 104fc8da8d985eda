// Puts pictures of the last end-to-end run into the README.
import { copyFileSync, readdirSync } from "node:fs";

const WANTED = {
  "ghost-text": ["train", "ghost-text-of-the-real-model"],
  training: ["train", "the-loss-while-it-trains"],
  report: ["train", "the-report"],
  dashboard: ["train", "the-dashboard"],
  review: ["review", "what-can-be-done-about-it"],
  menu: ["complete", "the-menu-behind-the-status-bar"],
};

for (const [name, [scenario, step]] of Object.entries(WANTED)) {
  const folder = `build/shots/${scenario}`;
  const picture = readdirSync(folder).find((file) => file.endsWith(`-${step}.png`));
  copyFileSync(`${folder}/${picture}`, `media/${name}.png`);
  console.log(`media/${name}.png`);
}
