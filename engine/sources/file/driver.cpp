#include "engine/sources/file/driver.h"

#include <algorithm>

#include "engine/sources/as_it_is.h"
#include "engine/sources/file/fields.h"
#include "engine/sources/file/idle_reader.h"
#include "engine/sources/file/image.h"

namespace holdfast::source::file {
namespace {

class FileCapture final : public AsItIs {
 public:
  explicit FileCapture(const nbd::Limits& limits)
      : AsItIs(system_clock().now(), Consistency::none), limits_(limits) {}

  Result<> add(const DiskRequest& request) {
    HF_TRY(const ImageName own, fields_of(request));
    auto opened = Image::open(own);
    if (!opened) return within(std::move(opened).error(), "disk {}", request.name);
    FrozenDisk disk{.name = request.name,
                    .capacity = opened->capacity(),
                    .by_content = true,
                    .identity = opened->file().identity};
    for (std::size_t i = 0; i < disks_.size(); ++i)
      if (disks_[i].identity == disk.identity)
        return fail(EINVAL, "disks {} and {} are the same, {}", disks_[i].name, request.name, own.path);
    disk.full_reason = why_full(request, disk.capacity);
    if (request.last_capacity && !request.last_identity.empty() && request.last_identity != disk.identity)
      disk.full_reason = FullReason::disk_changed;
    disks_.push_back(std::move(disk));
    images_.push_back(std::make_shared<const Image>(std::move(*opened)));
    return {};
  }

  Result<std::unique_ptr<DiskReader>> open(std::size_t disk) override {
    const auto& image = images_.at(disk);
    return std::make_unique<IdleReader>(image->reader(limits_, "", nullptr),
                                        [image] { return image->check_idle(); });
  }

 private:
  const nbd::Limits limits_;
  std::vector<std::shared_ptr<const Image>> images_;
};

}  // namespace

Result<std::unique_ptr<Capture>> FileDriver::prepare(const PrepareRequest& request, Ledger&) {
  if (request.disks.empty()) return fail(EINVAL, "the machine has no disks to back up");
  auto capture = std::make_unique<FileCapture>(limits_.ended_by(request.cancel));
  for (const DiskRequest& disk : request.disks) HF_CHECK(capture->add(disk));
  return capture;
}

Result<> FileDriver::sweep(const MachineDefinition&, std::span<const Leftover>, PointFate, Ledger&) {
  return {};
}

Result<std::vector<Driver::HostName>> FileDriver::host_names(const MachineDefinition& machine) {
  std::vector<HostName> names;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const ImageName own, fields_of(disk));
    names.push_back({own.path, [own](ByteView start) { return check_format(own, start); }});
  }
  return names;
}

Result<std::vector<Driver::Discovered>> FileDriver::discover(const MachineDefinition& machine) {
  static constexpr const char* kWhyNot =
      "a file does not tell what has changed: all of it is read, and what differs is stored";
  std::vector<Discovered> found;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const ImageName own, fields_of(disk));
    found.push_back(discover_in(disk.name, own, kWhyNot));
  }
  return found;
}

}  // namespace holdfast::source::file
