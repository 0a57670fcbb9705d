#include "engine/sources/qmp/off_machine.h"

#include "catalog/base/log.h"
#include "engine/sources/file/idle_reader.h"
#include "engine/sources/qmp/fields.h"

namespace holdfast::source::qmp {

bool OffMachine::may_be_off(const Error& of_socket) {
  return of_socket.code == ENOENT || of_socket.code == ECONNREFUSED;
}

Result<bool> OffMachine::has_images(const MachineDefinition& machine) {
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const DiskFields own, fields_of(disk));
    if (!own.path) return false;
  }
  return true;
}

Result<std::unique_ptr<OffMachine>> OffMachine::open(const PrepareRequest& request,
                                                     const nbd::Limits& limits) {
  std::unique_ptr<OffMachine> machine(new OffMachine(limits));
  for (const DiskRequest& disk : request.disks)
    if (auto added = machine->add(disk); !added)
      return within(std::move(added).error(), "disk {}", disk.name);
  return machine;
}

Result<> OffMachine::add(const DiskRequest& request) {
  HF_TRY(const DiskFields own, fields_of(request));
  HF_TRY(file::Image image, file::Image::open(own.image()));
  for (std::size_t i = 0; i < sources_.size(); ++i)
    if (sources_[i].image.file().identity == image.file().identity)
      return fail(EINVAL, "{} is the image of disk {}, too", *own.path, disks_[i].name);
  FrozenDisk disk{.name = request.name,
                  .capacity = image.capacity(),
                  .change_id = request.supersedes.empty() ? request.since : request.supersedes,
                  .full_reason = why_full(request, image.capacity())};
  Source source{.image = std::move(image), .bitmap = "", .connection = nullptr};
  if (!disk.full_reason && !request.since.empty() && own.format == file::ImageFormat::qcow2) {
    auto served = source.image.serve(limits_, request.since);
    if (served) {
      source.bitmap = request.since;
      source.connection = std::move(*served);
    } else {
      log::info("{}: all of it is read: {}", *own.path, served.error().message);
    }
  }
  disk.by_content = source.bitmap.empty();
  disks_.push_back(std::move(disk));
  sources_.push_back(std::move(source));
  return {};
}

// Checks all images, because a machine that starts may write to any of its disks first.
Result<> OffMachine::check_idle() const {
  for (const Source& source : sources_) HF_CHECK(source.image.check_idle());
  return {};
}

Result<std::unique_ptr<DiskReader>> OffMachine::open(std::size_t disk) {
  Source& source = sources_.at(disk);
  return std::make_unique<file::IdleReader>(
      source.image.reader(limits_, source.bitmap, std::move(source.connection)),
      [this] { return check_idle(); });
}

}  // namespace holdfast::source::qmp
