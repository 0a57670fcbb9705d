#include "fsd/views/readme.h"

namespace holdfast::views {

std::string_view readme() {
  return R"(Holdfast backs up the disks of virtual machines. This directory is its interface: use it with ls, cat, mkdir, cp,
mv, jq and an editor.

Ten commands to start with:

    mkdir repositories/r machines/m flows/f
    echo '{"path":"/srv/backup"}' > repositories/r/config.json
    echo '{"driver":"qmp","socket":"/run/vm.qmp","disks":[{"name":"disk-0","node":"disk0"}]}' > machines/m/config.json
    echo '{"target":"machines/m","repository":"r"}' > flows/f/config.json
    echo 'run name=first' > flows/f/control
    cat flows/f/executions/first/wait
    jq . flows/f/latest/status.json
    ls -lR machines/m/points
    cp --sparse=always machines/m/latest/disk-0.raw /var/tmp/disk-0.raw
    tail -f events.jsonl

chown, chgrp and chmod decide who may do what: give users their machines and flows by chown, and let a group that
they are in write to the repository. Everybody sees here only what they may read.

config.schema.json describes the config.json beside it. Reading a control file lists its commands. When an operation
is refused, the nearest file `error` has the reason: the object's own, or for mkdir flows/x the one beside this file.
The manual page is holdfast-fs(5).
)";
}

}  // namespace holdfast::views
