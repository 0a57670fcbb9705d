# shellcheck shell=bash
# For long tests that are tests of the suite with their full counts.

# run_tests STATE PROGRAM FILTER...: those of build/release/tests/PROGRAM, filter by filter. STATE/done has the filters that
# have passed with this very program, STATE/log what was said, with the seeds; the summary is written.
run_tests() {
  local state=$1 program=build/release/tests/$2 filter mark failed=()
  shift 2
  build release "${program##*/}" >/dev/null
  touch "$state/done"
  for filter in "$@"; do
    mark="$(sha256sum <"$program") $filter"
    grep -qxF -- "$mark" "$state/done" && continue
    if HOLDFAST_LONG=1 "$program" --gtest_filter="$filter" >>"$state/log" 2>&1; then
      echo "$mark" >>"$state/done"
    else
      failed+=("$filter")
    fi
  done
  echo "$(($# - ${#failed[@]})) of $# groups of tests have passed${failed[*]:+; not ${failed[*]}: see $state/log}" >"$state/summary"
  ((${#failed[@]} == 0))
}
