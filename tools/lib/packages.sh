# shellcheck shell=bash
# Debian packages that Holdfast needs: one list per purpose.
# shellcheck disable=SC2034  # the lists are read by the tools

packages_build=(
  g++ cmake ninja-build pkgconf
  libcurl4-openssl-dev libfuse3-dev libmount-dev libnbd-dev libsqlite3-dev libsystemd-dev libssl-dev
  libzstd-dev zlib1g-dev libdeflate-dev libxxhash-dev libqcow-dev libseccomp-dev
  libcctz-dev libexpected-dev libfmt-dev libspdlog-dev libutfcpp-dev nlohmann-json3-dev
  libgtest-dev libgmock-dev
)
# Packages of a machine that runs the daemon. fuse3 has fusermount3 and mount.fuse3; qemu-system-common has QEMU's
# storage daemon.
packages_demo=(fuse3 jq qemu-system-common qemu-utils tzdata)
# Parts of the test guests: Debian's cloud kernel, busybox, QEMU's guest agent, a boot loader on a FAT.
packages_guest=(
  linux-image-cloud-amd64 busybox-static cpio kmod e2fsprogs qemu-guest-agent syslinux mtools dosfstools
)
# Editors and viewers, with which the tests use the mount.
packages_tools=(dash less nano perl rsync vim-tiny)
packages_test=(
  "${packages_demo[@]}" "${packages_guest[@]}" "${packages_tools[@]}" bindfs clang-16 clang-format libnbd-bin
  libvirt-clients libvirt-daemon-system nbdkit openssl python3 python3-croniter python3-jsonschema python3-libnbd python3-seccomp qemu-system-x86
  shellcheck sqlite3 systemd
)
# Programs that tools/bench measures with, or compares Holdfast with.
packages_bench=("${packages_demo[@]}" fio libnbd-bin python3)
packages_long=(debootstrap clang-tidy-19 libclang-rt-16-dev)

# missing_packages NAME...: prints the packages that are not installed, one per line.
missing_packages() {
  local name states
  states=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
  for name in "$@"; do
    [[ $'\n'$states$'\n' == *$'\n'"installed $name"$'\n'* ]] || echo "$name"
  done
}

# install_packages NAME...: installs missing packages. Without missing packages nothing is done and no network is used.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  echo "Installing from Debian: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update --quiet=2 || fail "apt-get update failed; the lines above say why"
  apt-get install --yes --quiet=2 --no-install-recommends -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null ||
    fail "apt-get could not install ${missing[*]}; the lines above say why"
}
