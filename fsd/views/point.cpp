#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {
namespace {

Json disk(const PointDisk& disk) {
  return {
      {"name", disk.name},
      {"capacity", disk.capacity},
      {"kind", to_word(disk.kind)},
      {"reason", word_or_null(disk.full_reason)},
      {"bytes_stored", disk.bytes_stored},
      {"bytes_used", disk.bytes_used},
      {"change_id", text_or_null(disk.change_id)},
      {"sums_sha256", text_or_null(disk.sums_sha256)},
  };
}

}  // namespace

std::string point_manifest(const PointView& view) {
  const Point& point = view.point;
  Json disks = Json::array();
  for (const PointDisk& each : point.disks) disks.push_back(disk(each));
  return document({
      {"id", point.name},
      {"machine", view.machine},
      {"time", iso_time(point.time)},
      {"kind", to_word(point.kind)},
      {"reason", word_or_null(point.full_reason)},
      {"consistency", to_word(point.consistency)},
      {"repository", view.repository},
      {"chain", std::to_string(point.chain_id)},
      {"parent", text_or_null(view.parent)},
      {"flow", text_or_null(point.flow)},
      {"execution", text_or_null(point.execution)},
      {"cluster_size", point.cluster_size},
      {"compression", to_word(point.compression)},
      {"bytes_stored", point.bytes_stored},
      {"disks", disks},
  });
}

}  // namespace holdfast::views
