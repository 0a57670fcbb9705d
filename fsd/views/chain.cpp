#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string chain_json(const ChainView& view) {
  Json points = Json::array(), layers = Json::array();
  for (const Point& point : view.points)
    points.push_back({{"id", point.name},
                      {"time", iso_time(point.time)},
                      {"kind", to_word(point.kind)},
                      {"bytes_stored", point.bytes_stored}});
  std::uint64_t bytes = 0;
  for (const Layer& layer : view.layers) {
    bytes += layer.file_bytes;
    layers.push_back({{"file", layer.file}, {"image_id", layer.image_id}, {"file_bytes", layer.file_bytes}});
  }
  return document({
      {"revision", view.revision},
      {"id", std::to_string(view.chain.id)},
      {"machine", view.machine},
      {"repository", text_or_null(view.repository)},
      {"created_at", iso_time(view.chain.created_at)},
      {"bytes_in_files", bytes},
      {"points", points},
      {"layers", layers},
  });
}

std::string difference_json(const DifferenceView& view) {
  Json disks = Json::array();
  std::uint64_t bytes = 0, count = 0;
  for (const DifferenceView::OfDisk& disk : view.disks) {
    Json extents = Json::array();
    for (const auto& [offset, length] : disk.extents)
      extents.push_back({{"offset", offset}, {"length", length}});
    disks.push_back({{"name", disk.name},
                     {"from_capacity_bytes", disk.from_capacity ? Json(*disk.from_capacity) : Json(nullptr)},
                     {"to_capacity_bytes", disk.to_capacity ? Json(*disk.to_capacity) : Json(nullptr)},
                     {"extent_count", disk.count},
                     {"bytes", disk.bytes},
                     {"extents", extents}});
    bytes += disk.bytes;
    count += disk.count;
  }
  return document({
      {"machine", view.machine},
      {"from", view.from},
      {"to", view.to},
      {"totals", {{"extent_count", count}, {"bytes", bytes}}},
      {"disks", disks},
  });
}

}  // namespace holdfast::views
