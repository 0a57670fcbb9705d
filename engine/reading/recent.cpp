// Recent readers of images, as the event log names them after a restart.
#include "catalog/base/id_time.h"
#include "catalog/stores/events.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/reading/reading.h"

namespace holdfast {
namespace {

// Returns the point of "machines/M/points/T/DISK"; nullopt if it is gone or renamed.
Result<std::optional<Id>> point_of_image(db::Connection& db, std::string_view path) {
  static constexpr std::string_view kMachines = "machines/", kPoints = "/points/";
  const auto points = path.find(kPoints);
  if (!path.starts_with(kMachines) || points == std::string_view::npos) return std::nullopt;
  const std::string_view machine = path.substr(kMachines.size(), points - kMachines.size());
  const std::string_view rest = path.substr(points + kPoints.size());
  HF_TRY(const auto id, Machines(db).find(machine));
  if (!id) return std::nullopt;
  return Points(db).find(*id, rest.substr(0, rest.find('/')));
}

}  // namespace

Result<> Reading::remember_recent() {
  constexpr int kAtOnce = 1000;
  const Time since = services_.clock.now() - std::chrono::hours{1};
  for (Id after = first_id_at(since);;) {
    HF_TRY(const auto events,
           services_.catalog.read([&](db::Connection& db) { return Events(db).since(after, kAtOnce, {}); }));
    if (events.empty()) return {};
    after = events.back().id;
    for (const Event& event : events) {
      if (event.event != "image.open" || event.result != EventResult::ok || event.at < since) continue;
      HF_TRY(const auto point,
             services_.catalog.read([&](db::Connection& db) { return point_of_image(db, event.object); }));
      if (point) services_.readers.was_read(*point, event.at);
    }
  }
}

}  // namespace holdfast
