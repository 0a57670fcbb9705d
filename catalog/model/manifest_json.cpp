#include "catalog/model/manifest_json.h"

#include "catalog/model/caller_json.h"
#include "catalog/model/json_text.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

template <class E>
Json word_or_json_null(const std::optional<E>& value) {
  return value ? Json(to_word(*value)) : Json();
}

Json disk_fields(const PointDisk& disk) {
  return {{"name", disk.name},
          {"capacity_bytes", disk.capacity},
          {"kind", to_word(disk.kind)},
          {"reason", word_or_json_null(disk.full_reason)},
          {"read", disk.read_everything ? "everything" : "changes"},
          {"bytes_read", disk.bytes_read ? Json(*disk.bytes_read) : Json()},
          {"bytes_stored", disk.bytes_stored},
          {"bytes_used", disk.bytes_used},
          {"qcow2_bytes", disk.qcow2_bytes ? Json(*disk.qcow2_bytes) : Json()},
          {"change_id", json::text_or_null(disk.change_id)},
          {"sums_sha256", json::text_or_null(disk.sums_sha256)},
          {"content_sha256", json::text_or_null(disk.content_sha256)},
          {"source_identity", json::text_or_null(disk.source_identity)}};
}

}  // namespace

Json verification_json(const std::optional<Point::Verification>& verified) {
  if (!verified) return nullptr;
  return {{"at", iso_time(verified->at)},
          {"level", to_word(verified->level)},
          {"result", to_word(verified->result)}};
}

Json boot_check_json(const std::optional<BootCheck>& check) {
  if (!check) return nullptr;
  return {{"at", iso_time(check->at)},
          {"result", to_word(check->result)},
          {"reason", json::text_or_null(check->reason)},
          {"expect", check->expect},
          {"accelerator", to_word(check->accelerator)},
          {"seconds", static_cast<double>(check->took.count()) / 1000}};
}

Json pins_json(const std::vector<Pin>& pins) {
  Json all = Json::array();
  for (const Pin& pin : pins)
    all.push_back({{"at", iso_time(pin.at)},
                   {"by", caller_or(pin.by, nullptr)},
                   {"by_name", json::text_or_null(pin.by_name)},
                   {"until", pin.until ? Json(iso_time(*pin.until)) : Json()},
                   {"why", json::text_or_null(pin.why)}});
  return all;
}

Json verdicts_json(const std::vector<Verdict>& verdicts) {
  Json all = Json::array();
  for (const Verdict& verdict : verdicts)
    all.push_back({{"at", iso_time(verdict.at)},
                   {"result", to_word(verdict.result)},
                   {"by", caller_or(verdict.by, nullptr)},
                   {"by_name", verdict.by_name},
                   {"text", json::text_or_null(verdict.text)}});
  return all;
}

Json manifest(const Point& point, const ManifestNames& names) {
  Json disks = Json::array();
  for (const PointDisk& disk : point.disks) disks.push_back(disk_fields(disk));
  return {{"id", point.name},
          {"machine", names.machine},
          {"time", iso_time(point.time)},
          {"sequence", point.sequence ? Json(*point.sequence) : Json()},
          {"kind", to_word(point.kind)},
          {"reason", word_or_json_null(point.full_reason)},
          {"consistency", to_word(point.consistency)},
          {"repository", names.repository},
          {"chain", std::to_string(point.chain_id)},
          {"parent", json::text_or_null(names.parent)},
          {"flow", json::text_or_null(point.flow)},
          {"execution", json::text_or_null(point.execution)},
          {"cluster_size", point.cluster_size},
          {"compression", to_word(point.compression)},
          {"bytes_stored", point.bytes_stored},
          {"disks", std::move(disks)}};
}

}  // namespace holdfast
