// Helpers of the tests of the QMP driver.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "catalog/base/disk.h"
#include "engine/sources/qmp/driver.h"
#include "engine/sources/qmp/fields.h"
#include "tests/lib/driver_fields.h"
#include "tests/lib/storage_daemon.h"

namespace holdfast::test {

using source::Cancel;
using source::Capture;
using source::DiskReader;
using source::Extent;
using source::Range;
using source::qmp::Json;

// A ledger in a file, which outlives the process that wrote it.
class FileLedger final : public source::Ledger {
 public:
  explicit FileLedger(std::string path) : path_(std::move(path)) {}

  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override {
    const Id id = new_id();
    append({{"id", id}, {"kind", to_word(kind)}, {"name", name}, {"detail", detail}});
    return id;
  }
  Result<> forget(Id id) override {
    append({{"forget", id}});
    return {};
  }
  std::vector<Leftover> leftovers() const {
    std::map<Id, Leftover> known;
    std::ifstream file(path_);
    for (std::string line; std::getline(file, line);) {
      const Json json = Json::parse(line);
      if (json.contains("forget")) {
        known.erase(json["forget"].get<Id>());
        continue;
      }
      Leftover leftover;
      leftover.id = json["id"];
      leftover.kind = *from_word<LeftoverKind>(json["kind"].get<std::string>());
      leftover.name = json["name"];
      leftover.detail = json["detail"];
      known[leftover.id] = leftover;
    }
    std::vector<Leftover> list;
    for (const auto& [id, leftover] : known) list.push_back(leftover);
    return list;
  }

 private:
  void append(const Json& line) const { std::ofstream(path_, std::ios::app) << line.dump() << std::endl; }

  std::string path_;
};

// A ledger that kills its process by SIGKILL at its n-th record.
class DyingLedger final : public source::Ledger {
 public:
  DyingLedger(FileLedger& ledger, int words) : ledger_(ledger), words_left_(words) {}
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override {
    auto id = ledger_.record(kind, name, detail);
    say();  // after recording, before the thing is made
    return id;
  }
  Result<> forget(Id id) override {
    say();  // after the removal, before forgetting
    return ledger_.forget(id);
  }

 private:
  void say() {
    if (words_left_-- == 0) ::raise(SIGKILL);
  }
  FileLedger& ledger_;
  int words_left_;
};

// A sink into memory that checks DiskReader's promises about pieces.
class Copy {
 public:
  explicit Copy(Bytes start) : bytes(std::move(start)) {}
  DiskReader::Sink sink() {
    return [this](std::uint64_t offset, ByteView data) -> Result<> {
      EXPECT_LE(data.size(), 256 * kKiB);
      EXPECT_EQ(offset / (256 * kKiB), (offset + data.size() - 1) / (256 * kKiB));
      std::ranges::copy(data, bytes.begin() + static_cast<std::ptrdiff_t>(offset));
      moved += data.size();
      return {};
    };
  }
  Bytes bytes;
  std::uint64_t moved = 0;
};

class QmpDriverTest : public ::testing::Test {
 protected:
  static constexpr const char* kMarker = "3f2a91c0";

  void SetUp() override { scratch_made_ = open_directory(state_.path()).value()->make_directory("scratch"); }

  StorageDaemon& boot(std::vector<DaemonDisk> disks = {{.node = "disk0"}}) {
    daemon_ = std::make_unique<StorageDaemon>(std::move(disks));
    return *daemon_;
  }

  MachineDefinition machine(std::vector<std::string> nodes = {"disk0"}) const {
    MachineDefinition definition;
    definition.driver = "qmp";
    definition.fields = driver_fields({{"socket", daemon_->qmp()}});
    for (const std::string& node : nodes) definition.disks.push_back(a_disk("the-" + node, {{"node", node}}));
    return definition;
  }

  // Returns a request for all disks of `definition`; `since` maps nodes to change ids.
  source::PrepareRequest request(const MachineDefinition& definition,
                                 const std::map<std::string, std::string>& since = {},
                                 const std::string& marker = kMarker) const {
    source::PrepareRequest request;
    request.machine = definition;
    request.repository_marker = marker;
    request.scratch = scratch();
    for (const DiskDefinition& disk : definition.disks) {
      source::DiskRequest wanted{disk};
      const std::string node = source::qmp::fields_of(disk).value().node;
      if (const auto found = since.find(node); found != since.end()) wanted.since = found->second;
      wanted.supersedes = wanted.since;
      if (!wanted.since.empty()) wanted.last_capacity = daemon_->truth(node).size();
      request.disks.push_back(wanted);
    }
    return request;
  }
  std::unique_ptr<Capture> prepare(const std::map<std::string, std::string>& since = {}) {
    auto capture = driver_.prepare(request(machine(), since), ledger_);
    if (!capture) throw std::runtime_error(capture.error().message);
    return std::move(*capture);
  }

  Result<> sweep(source::PointFate fate) {
    return driver_.sweep(machine(), ledger_.leftovers(), fate, ledger_);
  }

  // Copies as a repository does: reads changed areas that are not zero, zeroes those that are, and takes the
  // rest from the parent.
  static Bytes read_all(Capture& capture, std::size_t disk, Bytes parent, std::uint64_t* moved = nullptr) {
    const std::uint64_t capacity = capture.disks().at(disk).capacity;
    auto reader = capture.open(disk).value();
    Copy copy(std::move(parent));
    copy.bytes.resize(capacity);
    std::vector<Range> wanted;
    const std::vector<Extent> extents = reader->extents(0, capacity).value();
    for (const Extent& extent : extents) {
      if (!extent.changed) continue;
      if (extent.zero)
        std::fill_n(copy.bytes.begin() + static_cast<std::ptrdiff_t>(extent.offset), extent.length,
                    std::byte{0});
      else
        wanted.push_back({extent.offset, extent.length});
    }
    const auto read = reader->read(wanted, copy.sink(), Cancel{});
    EXPECT_TRUE(read) << read.error().message;
    if (moved != nullptr) *moved = copy.moved;
    return std::move(copy.bytes);
  }

  // Commits a full of disk0 and puts its content into `into`; returns its change id.
  std::string committed_full(Bytes& into) {
    auto capture = prepare();
    into = read_all(*capture, 0, {});
    const std::string change_id = capture->disks()[0].change_id;
    const auto committed = capture->commit();
    EXPECT_TRUE(committed) << committed.error().message;
    return change_id;
  }

  // Returns everything that a capture could leave at the source and on the host.
  Json traces() const {
    Json nodes = Json::object();
    for (const Json& node : daemon_->tell("query-named-block-nodes", {{"flat", true}})) {
      std::string name = node["node-name"];
      if (name.starts_with('#'))
        name = "unnamed " + node["drv"].get<std::string>() + " " + node["file"].get<std::string>();
      Json bitmaps = Json::object();
      for (const Json& bitmap : node.value("dirty-bitmaps", Json::array()))
        if (bitmap.contains("name"))
          bitmaps[bitmap["name"].get<std::string>()] = {{"recording", bitmap["recording"]},
                                                        {"persistent", bitmap["persistent"]},
                                                        {"busy", bitmap["busy"]}};
      nodes[name] = bitmaps;
    }
    Json files = Json::array();
    for (const auto& entry : std::filesystem::recursive_directory_iterator(scratch()))
      files.push_back(entry.path().string());
    Json exports = daemon_->tell("query-block-exports");
    Json ids = Json::array();
    for (const Json& item : exports) ids.push_back(item["id"]);
    return {{"nodes", nodes}, {"exports", ids}, {"jobs", daemon_->tell("query-jobs")}, {"files", files}};
  }
  // Returns the names of the bitmaps on a node.
  std::vector<std::string> bitmaps(const std::string& node = "disk0") const {
    std::vector<std::string> names;
    const Json all = traces();
    for (const auto& [name, ignored] : all["nodes"][node].items()) names.push_back(name);
    return names;
  }

  std::string scratch() const { return state_ / "scratch"; }

  TemporaryDirectory state_;
  Result<> scratch_made_;
  std::unique_ptr<StorageDaemon> daemon_;
  FileLedger ledger_{state_ / "ledger"};
  source::qmp::QmpDriver driver_;
};

}  // namespace holdfast::test
