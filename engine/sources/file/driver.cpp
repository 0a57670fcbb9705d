#include "engine/sources/file/driver.h"

#include <algorithm>

#include "engine/sources/as_it_is.h"
#include "engine/sources/file/fields.h"
#include "engine/sources/file/reader.h"

namespace holdfast::source::file {
namespace {

std::optional<FullReason> why_full(const DiskRequest& request, const DiskFile& disk) {
  if (!request.last_capacity) return FullReason::no_parent;
  if (!request.last_identity.empty() && request.last_identity != disk.identity)
    return FullReason::disk_changed;
  if (*request.last_capacity != disk.size) return FullReason::capacity_changed;
  return std::nullopt;
}

class FileCapture final : public AsItIs {
 public:
  FileCapture() : AsItIs(system_clock().now(), Consistency::none) {}

  Result<> add(const DiskRequest& request) {
    HF_TRY(const DiskFields own, fields_of(request));
    auto opened = open_disk(own.path);
    if (!opened) return within(std::move(opened).error(), "disk {}", request.name);
    for (std::size_t i = 0; i < files_.size(); ++i)
      if (files_[i]->identity == opened->identity)
        return fail(EINVAL, "disks {} and {} are the same, {}", disks_[i].name, request.name, opened->path);
    disks_.push_back({.name = request.name,
                      .capacity = opened->size,
                      .change_id = "",
                      .full_reason = why_full(request, *opened),
                      .by_content = true,
                      .identity = opened->identity});
    files_.push_back(std::make_shared<const DiskFile>(std::move(*opened)));
    return {};
  }

  Result<std::unique_ptr<DiskReader>> open(std::size_t disk) override {
    return std::make_unique<Reader>(files_.at(disk));
  }

 private:
  std::vector<std::shared_ptr<const DiskFile>> files_;
};

}  // namespace

Result<std::unique_ptr<Capture>> FileDriver::prepare(const PrepareRequest& request, Ledger&) {
  if (request.disks.empty()) return fail(EINVAL, "the machine has no disks to back up");
  auto capture = std::make_unique<FileCapture>();
  for (const DiskRequest& disk : request.disks) HF_CHECK(capture->add(disk));
  return capture;
}

Result<> FileDriver::sweep(const MachineDefinition&, std::span<const Leftover>, PointFate, Ledger&) {
  return {};
}

Result<std::vector<std::string>> FileDriver::host_paths(const MachineDefinition& machine) {
  std::vector<std::string> paths;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(DiskFields own, fields_of(disk));
    paths.push_back(std::move(own.path));
  }
  return paths;
}

Result<std::vector<Driver::Discovered>> FileDriver::discover(const MachineDefinition& machine) {
  static constexpr const char* kWhyNot =
      "a file does not tell what has changed: all of it is read, and what differs is stored";
  std::vector<Discovered> found;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const DiskFields own, fields_of(disk));
    const auto opened = open_disk(own.path);
    if (opened)
      found.push_back({disk.name, opened->size, false, kWhyNot});
    else
      found.push_back({disk.name, 0, false, opened.error().message});
  }
  return found;
}

}  // namespace holdfast::source::file
