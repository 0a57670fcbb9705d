#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string machine_status(const MachineView& view) {
  Json disks = Json::array();
  for (const Disk& disk : view.disks)
    if (disk.configured) disks.push_back(disk.name);
  const char* state = !view.machine.complete ? "incomplete" : view.busy ? "busy" : "ready";
  return document({
      {"revision", view.revision},
      {"state", state},
      {"disks", disks},
      {"points", view.total.points},
      {"latest", view.newest ? Json(view.newest->name) : Json(nullptr)},
      {"latest_at", view.newest ? Json(iso_time(view.newest->time)) : Json(nullptr)},
      {"bytes_stored", view.total.bytes_stored},
      {"warnings", view.warnings},
  });
}

std::string disk_status(const Disk& disk, std::int64_t revision) {
  return document({
      {"revision", revision},
      {"name", disk.name},
      {"configured", disk.configured},
      {"capacity", disk.capacity ? Json(*disk.capacity) : Json(nullptr)},
  });
}

}  // namespace holdfast::views
