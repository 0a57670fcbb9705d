#include "engine/retention/estimate.h"

#include <algorithm>
#include <set>

#include "catalog/stores/points.h"
#include "engine/retention/room.h"

namespace holdfast::retention {
namespace {

std::string_view directory_of(const Layer& layer) {
  return std::string_view(layer.file).substr(0, layer.file.find('/'));
}

// Layers of the machine in one repository, as if the plan had been carried out.
Result<std::vector<Retention::StoredLayer>> layers_after(db::Connection& db, Id machine, Id repository,
                                                         const Plan& plan) {
  std::set<std::string_view> going;
  for (const PlannedPoint& planned : plan.points)
    if (planned.point.repository_id == repository && !planned.judgement.stays())
      going.insert(planned.point.name);
  HF_TRY(auto layers, Retention(db).layers(machine, repository));
  for (auto& layer : layers)
    if (going.contains(directory_of(layer))) layer.shown = false;
  return layers;
}

// Size of the layers through which the viewer sees the hidden one.
std::uint64_t bytes_above(const Tower& viewer, Id hidden) {
  std::uint64_t bytes = 0;
  for (const auto& layer : viewer) {
    if (layer.id == hidden) break;
    bytes += layer.bytes_stored;
  }
  return bytes;
}

std::uint64_t holes_in(const Hidden& hidden) {
  if (is_punched(hidden)) return 0;
  std::uint64_t bytes = hidden.layer.bytes_stored;
  for (const Tower& viewer : hidden.viewers) bytes = std::min(bytes, bytes_above(viewer, hidden.layer.id));
  return bytes;
}

}  // namespace

Result<Estimate> estimate_room(db::Connection& db, Id machine, const Plan& plan) {
  Estimate estimate;
  HF_TRY(const auto repositories, Points(db).repositories_of(machine));
  for (const Id repository : repositories) {
    HF_TRY(const auto layers, layers_after(db, machine, repository, plan));
    for (const auto& layer : unneeded(layers)) estimate.at_least += layer.bytes_stored;
    for (const Hidden& hidden : hidden_in(towers_of(layers))) estimate.about += holes_in(hidden);
  }
  estimate.about += estimate.at_least;
  return estimate;
}

}  // namespace holdfast::retention
