#include "engine/repository/facts.h"

#include <mutex>

#include "catalog/model/json_text.h"
#include "catalog/model/manifest_json.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"

namespace holdfast::repository {
namespace {

constexpr int kAtOnce = 100;

// A job that has verified a point and the definitions' writer may come to the same one.
std::mutex& one_at_a_time() {
  static std::mutex mutex;
  return mutex;
}

// Which image each disk lies in: another than the manifest says, once layers were merged.
Result<nlohmann::ordered_json> images_of(db::Connection& db, const Point& point) {
  auto images = nlohmann::ordered_json::array();
  for (const PointDisk& disk : point.disks) {
    HF_TRY(const Layer layer, Points(db).layer(disk.layer_id));
    images.push_back({{"disk", disk.name}, {"image_id", layer.image_id}, {"sums_sha256", disk.sums_sha256}});
  }
  return images;
}

struct Facts {
  std::string directory;  // the point's
  std::string text;
  std::int64_t revision = 0;
};

Result<Facts> facts_of(db::Connection& db, Id id) {
  HF_TRY(const Point point, Points(db).get(id));
  HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
  HF_TRY(const auto pins, Pins(db).of_point(id));
  HF_TRY(const auto verdicts, Verdicts(db).of_point(id));
  HF_TRY(auto images, images_of(db, point));
  const nlohmann::ordered_json document{{"verified", verification_json(point.verified)},
                                        {"pins", pins_json(pins)},
                                        {"verdicts", verdicts_json(verdicts)},
                                        {"images", std::move(images)}};
  return Facts{fmt::format("{}/{}", machine.key, point.name), json::indented(document), point.revision};
}

}  // namespace

Result<> tell_facts(Catalog& catalog, Directory& directory, Id point) {
  const std::lock_guard lock(one_at_a_time());
  HF_TRY(const Facts facts, catalog.read([&](db::Connection& db) { return facts_of(db, point); }));
  HF_CHECK(replace_file(directory, facts.directory + "/facts.json", facts.text));
  return catalog.write([&](db::Connection& db) { return Points(db).set_told(point, facts.revision); });
}

Result<> tell_untold_facts(Catalog& catalog, Directory& directory, Id repository) {
  HF_TRY(const auto untold,
         catalog.read([&](db::Connection& db) { return Points(db).untold(repository, kAtOnce); }));
  for (const Id point : untold) HF_CHECK(tell_facts(catalog, directory, point));
  return {};
}

}  // namespace holdfast::repository
