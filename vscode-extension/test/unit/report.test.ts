import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { themed } from "../../src/report";

const STYLE = ":root { --ground: #fff; }";
const POLICY = "default-src 'none'; style-src 'sha256-x'; base-uri 'none'; form-action 'none'";
const HEAD = `<meta http-equiv="Content-Security-Policy" content="${POLICY}"><style>${STYLE}</style>`;
const PAGE = `<html><head>${HEAD}</head><body>$&</body></html>`;

test("the page's policy allows its two style sheets and nothing else", () => {
  const page = themed(PAGE);
  const [, policy = ""] = /content="([^"]*)"/.exec(page) ?? [];
  const styles = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map((found) => found[1] as string);
  const hashes = styles.map((style) => `'sha256-${createHash("sha256").update(style).digest("base64")}'`);

  assert.equal(styles.length, 2);
  assert.equal(policy, `default-src 'none'; style-src ${hashes.join(" ")}; base-uri 'none'; form-action 'none'`);
  assert.ok(page.includes("<body>$&</body>"));
});

test("a page of another shape stays as it is", () => {
  assert.equal(themed("<html></html>"), "<html></html>");
});
