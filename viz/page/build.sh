#!/usr/bin/env bash
# Makes page.min.js and picture.min.js, the scripts that pages and pictures carry, from the scripts and styles in
# static/. Run it after every change of those. Needs Node.js; the first line of a build says what it was made from.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(mktemp)
trap 'rm -f "$build"' EXIT
python=${PYTHON:-python3} terser=${TERSER:-npx --yes terser@5}
for script in STEPS PICTURES; do
    "$python" -c "from viz.page.scripts import $script; print('//', $script.version())" >"$build"
    "$python" -c "from viz.page.scripts import $script; print($script.source())" |
        $terser --ecma 2020 --compress passes=3,unsafe_arrows --mangle --format ascii_only=false >>"$build"
    cp "$build" "viz/page/static/$("$python" -c "from viz.page.scripts import $script; print($script.build)")"
done
