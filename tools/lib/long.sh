# shellcheck shell=bash
# Long tests that run tests of the suite with their full counts.

# run_tests STATE PROGRAM FILTER...: runs build/release/tests/PROGRAM, filter by filter. STATE/done lists the filters that
# have passed with this build of the program. STATE/log has the output with the seeds, STATE/summary the result.
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
