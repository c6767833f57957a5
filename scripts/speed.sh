#!/usr/bin/env bash
# Times gpulint on a generated tree against `rg -l`, which only looks for the same words, and shows its peak memory.
#
#   scripts/speed.sh [FILES]      20000 by default
#
# Needs ripgrep, GNU time and Python 3. Both programs take turns, so that what else the machine does hits both.
set -euo pipefail
cd "$(dirname "$0")/.."

files=${1:-20000}
runs=7
threads=2
cargo build --release --quiet
gpulint=$PWD/target/release/gpulint
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 scripts/generate_tree.py "$work/tree" --files "$files" --seed 1

# The words that gpulint looks for, one on a line.
sed -n '/^const WORDS/,/^];/s/^    "\(.*\)",$/\1/p' src/inventory/interest.rs >"$work/words"
cd "$work/tree"
echo "$files files, $(du -sh --apparent-size . | cut -f1), $(wc -l <"$work/words") words, $threads threads"

run_rg() { rg --files-with-matches --threads "$threads" --hidden --fixed-strings --file "$work/words" . >"$work/rg.out"; }
run_gpulint() { "$gpulint" --no-config --threads "$threads" --format concise . >"$work/gpulint.out" || [ $? -eq 1 ]; }

run_rg
run_gpulint
for _ in $(seq "$runs"); do
    for program in rg gpulint; do
        start=$(date +%s%N)
        "run_$program"
        echo "$((($(date +%s%N) - start) / 1000))" >>"$work/$program.times"
    done
done
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }
echo "rg -l    $(($(median "$work/rg.times") / 1000)) ms   ($(wc -l <"$work/rg.out") files match)"
echo "gpulint  $(($(median "$work/gpulint.times") / 1000)) ms   ($(tail -1 "$work/gpulint.out"))"
/usr/bin/time -v "$gpulint" --no-config --threads "$threads" --format concise . 2>"$work/time" >"$work/gpulint.out" || true
echo "peak memory $(($(sed -n 's/.*Maximum resident set size (kbytes): //p' "$work/time") / 1024)) MiB"
