#include "engine/rescan/documents.h"

#include <algorithm>
#include <charconv>

#include "catalog/base/id_time.h"
#include "catalog/base/sha256.h"
#include "catalog/base/text.h"
#include "catalog/model/members.h"
#include "catalog/model/outside_json.h"
#include "engine/image/layer_files.h"
#include "engine/image/writer.h"
#include "engine/repository/facts.h"
#include "engine/repository/place.h"

namespace holdfast::rescan {
namespace {

using nlohmann::json;

Result<json> parse_document(const std::string& text, const std::string& file) {
  auto document = holdfast::json::parse_outside(text);
  if (!document) return within(document.error(), "{}", file);
  if (!document->is_object()) return fail(EPROTO, "{} is no JSON object", file);
  return document;
}

// A whole number in decimal digits; 0 if it is none.
Id number_in(const std::string& text) {
  Id number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size() && number > 0 ? number : 0;
}

std::chrono::milliseconds milliseconds_in(const json& entry, const char* name) {
  constexpr double kMostSeconds = 1e9;
  const auto seconds = entry.value(name, json());
  if (!seconds.is_number()) return {};
  const double sane = std::clamp(seconds.get<double>(), 0.0, kMostSeconds);
  return std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(sane));
}

std::optional<Caller> caller_in(const json& entry) {
  const auto by = entry.find("by");
  if (by == entry.end() || !by->is_object()) return std::nullopt;
  holdfast::json::Members members(*by, "by");
  const Caller caller{.uid = static_cast<std::uint32_t>(members.number("uid")),
                      .gid = static_cast<std::uint32_t>(members.number("gid")),
                      .pid = static_cast<std::int32_t>(members.number("pid"))};
  return members.check() ? std::optional{caller} : std::nullopt;
}

Result<FoundDisk> disk_in(const json& entry, const std::string& point) {
  FoundDisk found;
  PointDisk& disk = found.disk;
  holdfast::json::Members members(entry, "a disk");
  disk.name = members.text("name");
  disk.capacity = members.number("capacity_bytes");
  disk.kind = members.word<PointKind>("kind");
  disk.full_reason = members.word_if<FullReason>("reason");
  disk.read_everything = members.text("read") == "everything";
  disk.bytes_read = members.number_if("bytes_read");
  disk.bytes_stored = members.number("bytes_stored");
  disk.bytes_used = members.number("bytes_used");
  disk.qcow2_bytes = members.number_if("qcow2_bytes");
  disk.change_id = members.text_if("change_id");
  disk.sums_sha256 = members.text_if("sums_sha256");
  disk.content_sha256 = members.text_if("content_sha256");
  disk.source_identity = members.text_if("source_identity");
  const std::string image = members.text("image");
  found.image_id = members.text("image_id");
  HF_CHECK(members.check());
  HF_CHECK(check_name(disk.name));
  HF_CHECK(check_name(image));
  if (!image::id_of(found.image_id))  // files are named by it
    return fail(EPROTO, "\"image_id\" of disk '{}' should be 32 hex digits", disk.name);
  found.file = point + "/" + image;
  return found;
}

Result<FoundPoint> read_manifest(const Directory& directory, const std::string& machine_key,
                                 const std::string& name) {
  const std::string at = machine_key + "/" + name;
  HF_TRY(const bool stands, directory.exists(at + "/manifest.json"));
  const std::string file = at + (stands ? "/manifest.json" : "/retired.json");
  HF_TRY(const std::string text, read_small_file(directory, file));
  HF_TRY(const json document, parse_document(text, file));

  FoundPoint found;
  Point& point = found.point;
  point.manifest_sha256 = sha256_hex(as_bytes(text));
  holdfast::json::Members members(document, file);
  point.state = stands ? PointState::committed : PointState::retired;
  point.name = members.text("id");
  point.time = members.time("time");
  point.kind = members.word<PointKind>("kind");
  point.full_reason = members.word_if<FullReason>("reason");
  point.consistency = members.word<Consistency>("consistency");
  point.chain_id = number_in(members.text("chain"));
  point.flow = members.text_if("flow");
  point.execution = members.text_if("execution");
  point.cluster_size = members.number("cluster_size");
  point.compression = members.word<Compression>("compression");
  point.bytes_stored = members.number("bytes_stored");
  if (const auto sequence = members.number_if("sequence"))
    point.sequence = static_cast<std::int64_t>(*sequence);
  if (const auto flow = members.number_if("flow_id")) point.flow_id = static_cast<Id>(*flow);
  // A manifest from before it had the id: ids grow with time.
  found.names_its_id = members.has("point_id");
  point.id = found.names_its_id ? static_cast<Id>(members.number("point_id"))
                                : std::max<Id>(first_id_at(point.time), 1);
  found.machine = members.text("machine");
  found.parent = members.text_if("parent");
  found.is_copy = members.has("copied_from");
  found.copied_at = members.time_if("copied_at");
  const std::string key = members.text("machine_key");
  const json& disks = members.list("disks");
  HF_CHECK(members.check());
  if (point.name != name)
    return fail(EPROTO, "{} is of point {}: the directory was renamed", file, point.name);
  if (key != machine_key) return fail(EPROTO, "{} is of {}: the directory was moved", file, key);
  for (const json& entry : disks) {
    HF_TRY(FoundDisk disk, disk_in(entry, name));
    found.disks.push_back(std::move(disk));
  }
  if (found.disks.empty()) return fail(EPROTO, "{} names no disk", file);
  return found;
}

FoundDisk* disk_of(FoundPoint& found, const std::string& name) {
  const auto its =
      std::ranges::find_if(found.disks, [&](const FoundDisk& each) { return each.disk.name == name; });
  return its == found.disks.end() ? nullptr : &*its;
}

Result<> add_verification(const json& entry, Point& point) {
  holdfast::json::Members members(entry, "verified");
  Point::Verification verified;
  verified.at = members.time("at");
  verified.level = members.word<VerifyLevel>("level");
  verified.result = members.word<VerdictResult>("result");
  HF_CHECK(members.check());
  point.verified = verified;
  return {};
}

Result<> add_pin(const json& entry, FoundPoint& found) {
  holdfast::json::Members members(entry, "a pin");
  Pin pin;
  pin.at = members.time("at");
  pin.by_name = members.text_if("by_name");
  pin.until = members.time_if("until");
  pin.why = members.text_if("why");
  pin.by = caller_in(entry);
  HF_CHECK(members.check());
  found.pins.push_back(std::move(pin));
  return {};
}

Result<> add_verdict(const json& entry, FoundPoint& found) {
  holdfast::json::Members members(entry, "a verdict");
  Verdict verdict;
  verdict.at = members.time("at");
  verdict.result = members.word<VerdictResult>("result");
  verdict.by_name = members.text("by_name");
  verdict.text = members.text_if("text");
  verdict.by = caller_in(entry);
  HF_CHECK(members.check());
  found.verdicts.push_back(std::move(verdict));
  return {};
}

Result<> add_boot_check(const json& entry, FoundPoint& found) {
  holdfast::json::Members members(entry, "boot");
  BootCheck check;
  check.at = members.time("at");
  check.result = members.word<VerdictResult>("result");
  check.reason = members.text_if("reason");
  check.expect = members.text("expect");
  check.accelerator = members.word<Accelerator>("accelerator");
  check.took = milliseconds_in(entry, "seconds");
  HF_CHECK(members.check());
  if ((check.result == VerdictResult::bad) == check.reason.empty())
    return fail(EPROTO, "\"boot\" must have a reason if it is bad, and none if it is good");
  found.boot_check = std::move(check);
  return {};
}

// Pruning changes what a point's files take up.
void set_stored(Point& point, PointDisk& disk, std::uint64_t bytes) {
  point.bytes_stored += bytes - disk.bytes_stored;
  disk.bytes_stored = bytes;
}

Result<> add_image(const json& entry, FoundPoint& found) {
  holdfast::json::Members members(entry, "an image");
  FoundDisk* const its = disk_of(found, members.text("disk"));
  const std::string image_id = members.text("image_id");
  const std::string sums = members.text_if("sums_sha256");
  const auto bytes_stored = members.number_if("bytes_stored");
  HF_CHECK(members.check());
  if (its == nullptr) return {};
  if (!image::id_of(image_id)) return fail(EPROTO, "\"image_id\" of an image should be 32 hex digits");
  if (bytes_stored) set_stored(found.point, its->disk, *bytes_stored);
  if (its->image_id == image_id) return {};
  // A merged image has taken the place of the one in the manifest.
  its->image_id = image_id;
  its->disk.sums_sha256 = sums;
  its->disk.content_sha256 = members.text_if("content_sha256");
  return members.check();
}

// Adds what was told since the manifest.
Result<> read_facts(const Directory& directory, const std::string& at, FoundPoint& found) {
  const std::string file = at + "/facts.json";
  HF_TRY(const bool is_there, directory.exists(file));
  if (!is_there) return {};
  HF_TRY(const std::string text, read_small_file(directory, file));
  HF_TRY(const json document, parse_document(text, file));
  found.facts_sha256 = sha256_hex(as_bytes(text));
  const auto read = [&]() -> Result<> {
    holdfast::json::Members members(document, file);
    found.point.cbt_reset = members.flag("cbt_reset");
    found.damaged = members.flag("damaged");
    if (members.has("is_the_point")) {
      const bool is_the_point = members.flag("is_the_point");
      found.point.carried = is_the_point && found.is_copy;
      found.is_copy = !is_the_point;
    }
    if (members.has("verified")) HF_CHECK(add_verification(document["verified"], found.point));
    if (members.has("boot")) HF_CHECK(add_boot_check(document["boot"], found));
    for (const json& entry : members.list("pins")) HF_CHECK(add_pin(entry, found));
    for (const json& entry : members.list("verdicts")) HF_CHECK(add_verdict(entry, found));
    for (const json& entry : members.list("images")) HF_CHECK(add_image(entry, found));
    return members.check();
  };
  if (const auto done = read(); !done) return within(done.error(), "{}", file);
  if (!found.boot_check) return {};
  const auto screenshot = read_small_file(directory, at + "/screenshot.png", repository::kLargestScreenshot);
  if (screenshot) found.screenshot = *screenshot;
  if (!screenshot && screenshot.error().code != ENOENT)
    found.findings.push_back({at + "/screenshot.png", screenshot.error().message});
  return {};
}

// Reads the header: which image it is, and what it rests on.
Result<> look_at_image(const Directory& directory, const std::string& machine_key, FoundDisk& found) {
  const std::string path = machine_key + "/" + found.file;
  HF_TRY(const auto image, directory.open(path, Access::read));
  HF_TRY(const image::ImageFacts facts, image::inspect(*image));
  HF_TRY(found.file_bytes, image->size());
  if (facts.image_id != found.image_id) {
    // A merge that nobody has told of has written its sums first; any other image is not this point's.
    const std::string sums = path.substr(0, path.rfind('/') + 1) + facts.image_id + ".sums";
    HF_TRY(const bool was_merged, directory.exists(sums));
    if (facts.image_id.empty() || !was_merged) return fail_damaged(EIO, "it is another image");
    found.image_id = facts.image_id;
    found.disk.sums_sha256.clear();
    found.disk.content_sha256.clear();
  }
  if (facts.backing_file.empty()) return {};
  if (!facts.backing_file.starts_with("../")) return fail_damaged(EIO, "it rests on {}", facts.backing_file);
  found.rests_on = facts.backing_file.substr(3);
  return {};
}

// Facts of retired points are told no more.
Result<> measure(const Directory& directory, const std::string& machine_key, FoundPoint& found) {
  for (FoundDisk& each : found.disks) {
    const auto paths =
        repository::Place::paths_of(machine_key, {.file = each.file, .image_id = each.image_id});
    std::uint64_t bytes = 0;
    for (const std::string& path : {paths.image, paths.sums, paths.content}) {
      const auto file = directory.open(path, Access::read);
      if (!file && file.error().code == ENOENT) continue;
      if (!file) return tl::make_unexpected(file.error());
      HF_TRY(const std::uint64_t allocated, (*file)->allocated());
      bytes += allocated;
    }
    set_stored(found.point, each.disk, bytes);
  }
  return {};
}

}  // namespace

Result<FoundPoint> read_point(const Directory& directory, const std::string& machine_key,
                              const std::string& name) {
  HF_TRY(FoundPoint found, read_manifest(directory, machine_key, name));
  const std::string at = machine_key + "/" + name;
  if (const auto facts = read_facts(directory, at, found); !facts)
    found.findings.push_back({at + "/facts.json", facts.error().message});
  const bool stands = found.point.state == PointState::committed;
  std::erase_if(found.disks, [&](FoundDisk& disk) {
    const auto looked = look_at_image(directory, machine_key, disk);
    if (looked) return false;
    // A retired point loses its images one by one.
    if (!stands && looked.error().code == ENOENT) return true;
    found.findings.push_back({machine_key + "/" + disk.file, looked.error().message});
    found.is_whole = false;
    if (disk.disk.kind == PointKind::incremental)
      disk.rests_on = found.parent + disk.file.substr(disk.file.find('/'));
    return false;
  });
  if (!stands) HF_CHECK(measure(directory, machine_key, found));
  return found;
}

}  // namespace holdfast::rescan
