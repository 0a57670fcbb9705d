#include "engine/sources/machine_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

namespace {

Json machine_fields(const MachineView& view) {
  Json disks = Json::array();
  for (const Disk& disk : view.disks)
    if (disk.configured) disks.push_back(disk.name);
  const char* state = !view.machine.complete ? "incomplete"
                      : view.busy            ? "busy"
                      : view.retired_until   ? "retired"
                                             : "ready";
  return {
      {"revision", view.revision},
      {"state", state},
      {"disks", disks},
      {"points", view.total.points},
      {"latest", view.newest ? Json(view.newest->name) : Json(nullptr)},
      {"latest_at", view.newest ? Json(iso_time(view.newest->time)) : Json(nullptr)},
      {"within_objective", view.within_objective ? Json(*view.within_objective) : Json(nullptr)},
      {"bytes_stored", view.total.bytes_stored},
      {"restore_seconds_estimate", seconds_or_null(view.restore_seconds)},
      {"proven_to_boot_at", time_or_null(view.proven_to_boot_at)},
      {"retired_until", time_or_null(view.retired_until)},
      {"last_verified_at", time_or_null(view.verified.last_at)},
      {"verified_share", number_or_null(view.verified.share)},
      {"warnings", messages(view.warnings)},
  };
}

}  // namespace

std::string machine_status(const MachineView& view) { return document(machine_fields(view)); }

std::string machine_line(const MachineView& view) {
  Json fields = {{"name", view.machine.name},
                 {"config", Json::parse(print_definition(view.machine.definition))}};
  fields.update(machine_fields(view));
  return line(fields);
}

std::string disk_status(const DiskView& view, std::int64_t revision) {
  Json change_ids = Json::object();
  for (const auto& [repository, change_id] : view.change_ids)
    change_ids[repository] = text_or_null(change_id);
  return document({
      {"revision", revision},
      {"name", view.disk.name},
      {"configured", view.disk.configured},
      {"capacity_bytes", view.disk.capacity ? Json(*view.disk.capacity) : Json(nullptr)},
      {"cbt", view.cbt_reason.empty() ? "yes" : "no"},
      {"cbt_reason", text_or_null(view.cbt_reason)},
      {"change_ids", change_ids},
  });
}

}  // namespace holdfast::views
