#!/usr/bin/env bash
# Makes page.min.js, the script that pages carry, from the scripts and styles in static/. Run it after every change of
# those. Needs Node.js; the first line of the build says what it was made from.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(mktemp)
trap 'rm -f "$build"' EXIT
python=${PYTHON:-python3} terser=${TERSER:-npx --yes terser@5}
"$python" -c 'from viz.page import page; print("//", page.version())' >"$build"
"$python" -c 'from viz.page import page; print(page.source())' |
    $terser --ecma 2020 --compress passes=3,unsafe_arrows --mangle --format ascii_only=false >>"$build"
cp "$build" viz/page/static/page.min.js
