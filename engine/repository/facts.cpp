#include "engine/repository/facts.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/base/sha256.h"
#include "catalog/model/json_text.h"
#include "catalog/model/manifest_json.h"
#include "catalog/stores/boot_checks.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/document_digests.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "engine/repository/sequence.h"

namespace holdfast::repository {
namespace {

constexpr int kAtOnce = 100;

const std::string& content_of(const PointDisk& disk) { return disk.content_sha256; }
// A copy has no sums of its content, because no capture continues from it.
const std::string& content_of(const CopyDisk&) {
  static const std::string none;
  return none;
}

// Names the image of each disk; after a merge it differs from the manifest.
template <class Disks>
Result<nlohmann::ordered_json> images_of(db::Connection& db, const Point& point, const Disks& disks) {
  auto images = nlohmann::ordered_json::array();
  for (const auto& disk : disks) {
    const Id id = disk.disk_id;
    const auto named = std::ranges::find(point.disks, id, &PointDisk::disk_id);
    if (named == point.disks.end()) continue;
    HF_TRY(const Layer layer, Points(db).layer(disk.layer_id));
    images.push_back({{"disk", named->name},
                      {"image_id", layer.image_id},
                      {"sums_sha256", disk.sums_sha256},
                      {"content_sha256", json::text_or_null(content_of(disk))},
                      {"bytes_stored", disk.bytes_stored}});
  }
  return images;
}

struct Facts {
  std::string directory;  // the point's
  std::string text;
  std::string screenshot;  // a PNG; "" if there is none
  std::int64_t revision = 0;
  std::optional<Id> copy;  // absent: facts of the point itself
};

// Reads the facts of the point, or of its copy in that repository. A verification applies only to the files
// it read.
Result<std::optional<Facts>> facts_of(db::Connection& db, Id repository, Id id) {
  HF_TRY(const Point point, Points(db).get(id));
  HF_TRY(const auto copies, Copies(db).of_point(id));
  const auto copy = std::ranges::find(copies, repository, &Copy::repository_id);
  const bool is_its_own = point.repository_id == repository;
  if (point.state == PointState::retired || (!is_its_own && copy == copies.end())) return std::nullopt;
  HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
  HF_TRY(const auto pins, Pins(db).of_point(id));
  HF_TRY(const auto verdicts, Verdicts(db).of_point(id));
  BootChecks boot_checks(db);
  HF_TRY(const auto boot_check, boot_checks.of_point(id));
  HF_TRY(auto screenshot, boot_checks.screenshot(id));
  HF_TRY(auto images, is_its_own ? images_of(db, point, point.disks) : images_of(db, point, copy->disks));
  const nlohmann::ordered_json document{
      {"verified", verification_json(is_its_own ? point.verified : std::nullopt)},
      {"pins", pins_json(pins)},
      {"verdicts", verdicts_json(verdicts)},
      {"boot", boot_check_json(boot_check)},
      {"cbt_reset", point.cbt_reset},
      {"is_the_point", is_its_own},
      {"damaged", !is_its_own && copy->damaged},
      {"images", std::move(images)}};
  return Facts{.directory = fmt::format("{}/{}", machine.key, point.name),
               .text = json::indented(document),
               .screenshot = std::move(screenshot),
               .revision = point.revision,
               .copy = is_its_own ? std::nullopt : std::optional{copy->id}};
}

}  // namespace

// A verification's job and the definitions' writer may write facts of the same point.
Result<> tell_facts(Catalog& catalog, const Place& place, Id repository, Id point) {
  const MutexLock lock(place.telling());
  HF_TRY(const auto facts, catalog.read([&](db::Connection& db) { return facts_of(db, repository, point); }));
  if (!facts) return {};
  if (!facts->screenshot.empty())
    HF_CHECK(replace_file(place.directory(), facts->directory + "/screenshot.png", facts->screenshot));
  HF_CHECK(replace_file(place.directory(), facts->directory + "/facts.json", facts->text));
  return catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(DocumentDigests(db).set_facts(point, repository, sha256_hex(as_bytes(facts->text))));
    return facts->copy ? Copies(db).set_told(*facts->copy, facts->revision)
                       : Points(db).set_told(point, facts->revision);
  });
}

void tell_facts_if_able(Catalog& catalog, const Result<std::shared_ptr<Place>>& place, Id repository,
                        Id point) {
  if (!place || !(*place)->may_write() || !check_known(catalog, **place, repository)) return;
  if (const auto told = tell_facts(catalog, **place, repository, point); !told)
    log::warning("facts of a point are not written: {}", told.error().message);
}

Result<> tell_untold_facts(Catalog& catalog, const Place& place, Id repository) {
  HF_TRY(const auto untold, catalog.read([&](db::Connection& db) -> Result<std::vector<Id>> {
    HF_TRY(auto points, Points(db).untold(repository, kAtOnce));
    HF_TRY(const auto copies, Copies(db).untold(repository, kAtOnce));
    points.insert(points.end(), copies.begin(), copies.end());
    return points;
  }));
  Result<> all;
  for (const Id point : untold)
    if (auto told = tell_facts(catalog, place, repository, point); !told && all) all = std::move(told);
  return all;
}

}  // namespace holdfast::repository
