# shellcheck shell=bash
# Start of every tool: strict bash, the checkout's root as the working directory, fail().
# shellcheck disable=SC2034  # the variables are read by the tools

set -euo pipefail
self=$(realpath -- "$0")
called_from=$PWD
cd "$(dirname -- "${BASH_SOURCE[0]}")/../.."
root=$PWD

# fail SENTENCE: prints the sentence and ends the tool.
fail() {
  echo "${self##*/}: $*" >&2
  exit 1
}

# help: prints the comment at the top of the running tool.
help() {
  sed -n '2,${/^#/!q;s/^# \{0,1\}//;p}' "$self"
}

require_debian() {
  local ID='' VERSION_ID='' PRETTY_NAME=''
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  [[ $ID == debian && ${VERSION_ID%%.*} -ge 12 ]] ||
    fail "this runs on Debian 12 or newer, and here is ${PRETTY_NAME:-something else}; what Holdfast" \
      "needs elsewhere is listed in tools/lib/packages.sh"
}

require_root() {
  ((EUID == 0)) || fail "this installs packages and mounts: run it as root, not as $(id -un)"
}

require_fuse() {
  [[ -c /dev/fuse ]] ||
    fail "/dev/fuse is missing: run 'modprobe fuse', or start this container with --device /dev/fuse" \
      "--cap-add SYS_ADMIN"
}

# build PRESET [NINJA'S WORDS...]: configures when it is new, then does what has become necessary.
build() {
  local preset=$1
  shift
  [[ -f build/$preset/build.ninja ]] || cmake --preset "$preset" >/dev/null
  ninja -C "build/$preset" -j "$(nproc)" "$@"
}
