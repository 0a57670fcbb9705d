#include "tests/fsd/repository_doors.h"

#include <fmt/format.h>

#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/model/json_text.h"
#include "catalog/model/manifest_json.h"
#include "engine/image/writer.h"
#include "engine/repository/aside.h"
#include "engine/repository/documents.h"
#include "engine/repository/place.h"
#include "engine/repository/sequence.h"
#include "engine/rescan/definitions.h"
#include "engine/rescan/documents.h"
#include "tests/lib/memory_directory.h"

namespace holdfast::doors {
namespace {

using holdfast::test::MemoryDirectory;
using holdfast::test::MemoryFile;

constexpr char kKey[] = "m-12345678";
constexpr char kPoint[] = "2026-11-20T02-00-00Z";
constexpr char kManifest[] = R"json({
  "id": "2026-11-20T02-00-00Z", "machine": "m", "machine_key": "m-12345678", "time": "2026-11-20T02:00:00Z",
  "kind": "full", "consistency": "crash", "chain": "7", "cluster_size": 65536, "compression": "zstd",
  "bytes_stored": 0, "disks": [{"name": "disk-0", "capacity_bytes": 1048576, "kind": "full", "read": "everything",
  "bytes_stored": 0, "bytes_used": 0, "image": "disk-0.qcow2", "image_id": "0123456789abcdef0123456789abcdef"}]})json";

std::shared_ptr<MemoryFile> file_of(std::string_view text) {
  const ByteView bytes = as_bytes(text);
  return std::make_shared<MemoryFile>("file", Bytes(bytes.begin(), bytes.end()));
}

std::string complaint_about(const Error& error) {
  return error.message.empty() ? "a refusal without a sentence" : "";
}

using Files = std::initializer_list<std::pair<const char*, std::string_view>>;

Result<rescan::FoundPoint> read_point(Files files) {
  const std::string key = kKey, point = key + "/" + kPoint;
  MemoryDirectory::Tree tree{{key, nullptr}, {point, nullptr}};
  for (const auto& [name, text] : files) tree[point + "/" + name] = file_of(text);
  return rescan::read_point(MemoryDirectory(std::move(tree)), kKey, kPoint);
}

std::string print(const rescan::FoundPoint& found) {
  Point point = found.point;
  std::vector<Layer> layers;
  for (const auto& each : found.disks) {
    const Id id = static_cast<Id>(layers.size()) + 1;
    point.disks.push_back(each.disk);
    point.disks.back().layer_id = id;
    layers.push_back({.id = id, .file = each.file, .image_id = each.image_id});
  }
  const ManifestNames names{.machine = found.machine,
                            .repository = "r",
                            .parent = found.parent,
                            .flow_id = found.point.flow_id,
                            .copied_from = found.is_copy ? "87654321" : "",
                            .copied_at = found.copied_at};
  return repository::manifest_text(point, names, kKey, layers);
}

std::string print_facts(const rescan::FoundPoint& found) {
  const nlohmann::ordered_json facts{{"verified", verification_json(found.point.verified)},
                                     {"pins", pins_json(found.pins)},
                                     {"verdicts", verdicts_json(found.verdicts)},
                                     {"cbt_reset", found.point.cbt_reset},
                                     {"damaged", found.damaged},
                                     {"is_the_point", !found.is_copy}};
  return json::indented(facts);
}

std::string complaint_about(const rescan::FoundPoint& found) {
  const Point& point = found.point;
  if (point.id <= 0 || point.chain_id < 0 || point.sequence.value_or(0) < 0 || point.flow_id.value_or(0) < 0)
    return "a number is negative";
  for (const auto& disk : found.disks)
    if (!image::id_of(disk.image_id)) return "files are named by " + disk.image_id;
  return "";
}

}  // namespace

std::string take_manifest(std::string_view text, bool faulty) {
  if (const auto retired = read_point({{"retired.json", text}}); !retired)
    if (auto wrong = complaint_about(retired.error()); !wrong.empty()) return wrong;
  const auto found = read_point({{"manifest.json", text}});
  if (!found) return complaint_about(found.error());
  if (auto wrong = complaint_about(*found); !wrong.empty()) return wrong;
  const std::string printed = print(*found);
  const auto again = read_point({{"manifest.json", printed}});
  if (!again) return "what was printed is refused: " + again.error().message;
  return print(*again) == printed && !faulty ? ""
                                             : "what was printed is read as another manifest: " + printed;
}

std::string take_facts(std::string_view text, bool faulty) {
  const auto found = read_point({{"manifest.json", kManifest}, {"facts.json", text}});
  if (!found) return "facts made a point unusable: " + found.error().message;
  if (auto wrong = complaint_about(*found); !wrong.empty()) return wrong;
  const std::string printed = print_facts(*found);
  const auto again = read_point({{"manifest.json", kManifest}, {"facts.json", printed}});
  if (!again) return "what was printed is refused: " + again.error().message;
  if (faulty && !found->pins.empty()) return "the fault";
  return print_facts(*again) == printed ? "" : "what was printed is read as other facts: " + printed;
}

std::string take_stored_definition(std::string_view text, bool faulty) {
  const MemoryDirectory directory({{"definitions", nullptr}, {"definitions/x.json", file_of(text)}});
  std::vector<rescan::Finding> findings;
  const auto found = rescan::read_definitions(directory, findings);
  if (!found) return "a definition ended the search: " + found.error().message;
  if (found->size() + findings.size() != 1) return "a definition is neither read nor a finding";
  if (found->empty()) return findings.front().why.empty() ? "a finding without a reason" : "";
  const rescan::FoundDefinition& definition = found->front();
  if (definition.owner.mode > 07777) return "a mode has more bits than a file's";
  if (definition.retired_keep < std::chrono::seconds{0} || definition.retired_keep > kLongestDuration)
    return "a machine is retired for ever";
  const bool is_named =
      definition.kind != DefinitionKind::settings && definition.kind != DefinitionKind::collections;
  return (is_named && !check_name(definition.name)) || (is_named && faulty) ? "a name is none" : "";
}

std::string take_sequence(std::string_view text, bool faulty) {
  const auto written = repository::read_written(MemoryDirectory({{"sequence.json", file_of(text)}}),
                                                repository::kSequence, "commits");
  if (!written) return complaint_about(written.error());
  if (!*written) return "the file was not found";
  return (*written)->commits < 0 || faulty ? "a count is negative" : "";
}

std::string take_asides(std::string_view text, bool faulty) {
  const std::string mine = std::string(kKey) + "/" + kPoint + ".aside";
  const MemoryDirectory directory({{kKey, nullptr},
                                   {std::string(kKey) + "/" + kPoint, nullptr},
                                   {mine, nullptr},
                                   {"aside.json", file_of(text)}});
  repository::Asides asides;
  if (const auto looked = asides.look(directory); !looked) return complaint_about(looked.error());
  for (const repository::Aside& aside : asides.known())
    if (aside.path != mine || faulty) return "this lies aside: " + aside.path;
  return "";
}

std::string take_marker(std::string_view text, bool faulty) {
  const auto id = repository::parse_marker(std::string(text), "/srv/repository");
  if (!id) return complaint_about(id.error());
  const bool is_hex = id->size() == 8 && id->find_first_not_of("0123456789abcdef") == id->npos;
  return is_hex && !faulty ? "" : "a marker has the id " + *id;
}

}  // namespace holdfast::doors
