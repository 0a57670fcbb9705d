#include "fsd/views/readme.h"

namespace holdfast::views {

std::string_view readme() {
  return R"(Holdfast backs up the disks of virtual machines, and this directory is how it is used. Everything here
is done with the tools you have: ls, cat, mkdir, cp, mv, jq, an editor.

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

chown, chgrp and chmod say whose things are: give somebody his machine and his flow by chown, and let a group that
he is in write to the repository. Everybody sees here what he may read, and nothing else.

To see what a config.json may say, read it, and config.schema.json beside it. To see what a control understands,
read it. When something is refused, `error` in the same directory says why; mkdir, rmdir and mv leave
theirs in the directory they were done in. The manual is holdfast-fs(5).
)";
}

}  // namespace holdfast::views
