# shellcheck shell=bash
# Long tests that run tests of the suite with their full counts, or in builds where the gate leaves them out.

# run_tests STATE PROGRAM FILTER...: runs build/release/tests/PROGRAM, filter by filter, with its files in memory.
# STATE/done lists the filters that have passed with this build of the program. STATE/log has the output with the seeds,
# STATE/summary the result.
run_tests() {
  local state=$1 program=build/release/tests/$2 filter mark failed=()
  shift 2
  build release "${program##*/}" >/dev/null
  touch "$state/done"
  for filter in "$@"; do
    mark="$(sha256sum <"$program") $filter"
    grep -qxF -- "$mark" "$state/done" && continue
    if HOLDFAST_LONG=1 TMPDIR=/dev/shm "$program" --gtest_filter="$filter" >>"$state/log" 2>&1; then
      echo "$mark" >>"$state/done"
    else
      failed+=("$filter")
    fi
  done
  echo "$(($# - ${#failed[@]})) of $# groups of tests have passed${failed[*]:+; not ${failed[*]}: see $state/log}" >"$state/summary"
  ((${#failed[@]} == 0))
}

# run_rooms STATE BUILD ROOM...: builds all of BUILD and runs its tests, room by room. STATE/done lists the rooms that have
# passed for this commit, STATE/log.ROOM has the output, STATE/summary the result.
run_rooms() {
  local state=$1 build=$2 room commit failed=()
  shift 2
  commit=$(git rev-parse HEAD)
  [[ -z $(git status --porcelain) ]] || commit+=-changed-$(date +%s)
  build "$build" >"$state/log.build" || fail "$build does not build; see $state/log.build"
  touch "$state/done"
  for room in "$@"; do
    grep -qxF "$commit $room" "$state/done" && continue
    if ctest --test-dir "build/$build" --label-regex "(^|\\.)$room\$" --parallel 4 --output-on-failure --no-tests=error \
      >"$state/log.$room" 2>&1; then
      echo "$commit $room" >>"$state/done"
    else
      failed+=("$room")
    fi
  done
  echo "$(($# - ${#failed[@]})) of $# rooms have passed in the $build build${failed[*]:+; not ${failed[*]}: see $state/log.*}" >"$state/summary"
  ((${#failed[@]} == 0))
}
