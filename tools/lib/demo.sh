# shellcheck shell=bash
# The demo's two processes: Holdfast, and a storage daemon that serves a disk as a hypervisor would.
# A pid file names each process. A process counts as the demo's only while its command line has the demo's path.
# The working directory is the demo's directory.

# running PIDFILE WORD: prints the recorded pid if the process lives and has WORD among its arguments.
running() {
  local pid words=()
  [[ -s $1 ]] && pid=$(<"$1") && [[ -r /proc/$pid/cmdline ]] || return 1
  mapfile -d '' -t words 2>/dev/null <"/proc/$pid/cmdline" || return 1
  local word
  for word in "${words[@]}"; do
    [[ $word != "$2" ]] || { echo "$pid"; return; }
  done
  return 1
}

storage_pid() { running var/demo/storage.pid "$PWD/var/demo/storage.pid"; }
holdfast_pid() { running var/holdfastd.pid "$PWD/var/state"; }

# The disk is a qcow2 file; var/demo/disk.raw is the same disk as a plain file, for a person to write to.
start_storage() {
  local demo=$PWD/var/demo
  ((${#demo} < 90)) || fail "$demo is too long a path for a unix socket in it: try --in DIR with a shorter one"
  mkdir -p "$demo"
  umount --lazy "$demo/disk.raw" 2>/dev/null || true # the mount of a killed storage daemon
  [[ -e $demo/disk.raw ]] || : >"$demo/disk.raw"
  [[ -e $demo/disk.qcow2 ]] || qemu-img create -q -f qcow2 "$demo/disk.qcow2" 1G
  # A session of its own keeps Ctrl-C away from the storage daemon.
  setsid --wait qemu-storage-daemon --daemonize --pidfile "$demo/storage.pid" \
    --chardev "socket,id=qmp,path=$demo/qmp.sock,server=on,wait=off" --monitor chardev=qmp \
    --blockdev "driver=file,node-name=file0,filename=$demo/disk.qcow2,discard=unmap" \
    --blockdev driver=qcow2,node-name=disk0,file=file0,discard=unmap \
    --export "type=fuse,id=raw,node-name=disk0,mountpoint=$demo/disk.raw,writable=on" 2>>var/demo/storage.log ||
    fail "qemu-storage-daemon did not start: $(tail -n 1 var/demo/storage.log)"
}

start_holdfast() { # PROGRAM
  local out line=''
  mkdir -p var mnt 2>/dev/null || true # mnt may be a mount whose daemon was killed; the new one clears it
  # holdfastd prints `ready` once the mount answers.
  exec {out}< <(exec setsid "$1" --foreground --state "$PWD/var/state" "$PWD/mnt" \
    </dev/null 2>>var/holdfastd.log)
  echo $! >var/holdfastd.pid
  read -r -t 60 -u "$out" line || true
  exec {out}<&-
  [[ $line == ready ]] || fail "holdfastd did not get ready: $(tail -n 1 var/holdfastd.log)"
}

# holdfast_is_outdated PID: whether the program was built again since the daemon's start.
holdfast_is_outdated() {
  [[ $(readlink "/proc/$1/exe") == *' (deleted)' ]]
}

# end PID: sends SIGTERM and waits for the end of the process.
end() {
  kill -TERM "$1"
  timeout 120 tail --pid="$1" --sleep-interval=0.1 --follow /dev/null ||
    fail "process $1 ($(tr '\0' ' ' <"/proc/$1/cmdline")) does not stop"
}

stop_holdfast() {
  local pid
  pid=$(holdfast_pid) || return 0
  echo "Stopping holdfastd ($pid)"
  end "$pid"
}

stop_storage() {
  local pid
  pid=$(storage_pid) || return 0
  echo "Stopping the demo's storage daemon ($pid)"
  end "$pid"
  umount --lazy "$PWD/var/demo/disk.raw" 2>/dev/null || true
}
