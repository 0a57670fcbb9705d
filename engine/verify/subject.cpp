#include "engine/verify/subject.h"

namespace holdfast::verify {
namespace {

// Calls `visit` with the name of the disk and the error.
template <class Visit>
void each_fault(const PointCheck& subject, const StoredLayers& layers, Visit visit) {
  for (const auto& [disk, ids] : subject.layers)
    for (const Id id : ids)
      if (const auto& fault = layers.at(id).fault) visit(disk, *fault);
  for (const auto& [disk, error] : subject.failed_comparisons) visit(disk, error);
}

}  // namespace

std::vector<Damage> damage_of(const PointCheck& subject, const StoredLayers& layers) {
  std::vector<Damage> damage;
  each_fault(subject, layers, [&](const std::string& disk, const Error& fault) {
    if (fault.damage) damage.push_back({subject.path, disk, subject.copy + fault.message});
  });
  return damage;
}

std::optional<Error> why_unreadable(const PointCheck& subject, const StoredLayers& layers) {
  std::optional<Error> reason;
  each_fault(subject, layers, [&](const std::string& disk, const Error& fault) {
    if (fault.damage || reason) return;
    reason = fault;
    reason->message = fmt::format("{}, {}: {}{}", subject.path, disk, subject.copy, fault.message);
  });
  return reason;
}

}  // namespace holdfast::verify
