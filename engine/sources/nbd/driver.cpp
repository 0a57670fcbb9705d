#include "engine/sources/nbd/driver.h"

#include <algorithm>

#include "engine/sources/as_it_is.h"
#include "engine/sources/nbd/fields.h"
#include "engine/sources/nbd/reader.h"

namespace holdfast::source::nbd {
namespace {

// The change id of a bitmap: its name and its URI.
std::string change_id_of(const DiskFields& disk) { return disk.bitmap + " at " + disk.uri; }

Result<std::unique_ptr<Connection>> connect(const std::string& name, const DiskFields& disk,
                                            const Limits& limits) {
  const Export what{.bitmap = disk.trust_bitmap ? disk.bitmap : "", .uri = disk.uri, .needs_bitmap = false};
  auto connection = Connection::open(what, limits);
  if (!connection) return within(std::move(connection).error(), "disk {}", name);
  if ((*connection)->size() == 0) return fail(EINVAL, "disk {}: {} has no bytes", name, disk.uri);
  return connection;
}

class NbdCapture final : public AsItIs {
 public:
  explicit NbdCapture(const Limits& limits)
      : AsItIs(system_clock().now(), Consistency::none), limits_(limits) {}

  Result<> add(const DiskRequest& request) {
    HF_TRY(const DiskFields own, fields_of(request));
    for (const Served& other : served_)
      if (other.what.uri == own.uri)
        return fail(EINVAL, "disk {}: another disk of the machine has the URI {}, too", request.name,
                    own.uri);
    Served served;
    HF_TRY(served.connection, connect(request.name, own, limits_));
    FrozenDisk disk{.name = request.name, .capacity = served.connection->size(), .by_content = true};
    disk.full_reason = why_full(request, disk.capacity);
    const bool has_bitmap = !served.connection->bitmap_context().empty();
    if (has_bitmap) disk.change_id = change_id_of(own);
    if (own.trust_bitmap && !has_bitmap)
      disk.remark =
          fmt::format("the server does not offer qemu:dirty-bitmap:{}, so everything was read", own.bitmap);
    disk.trusts_bitmap = has_bitmap && !disk.full_reason && request.since == disk.change_id;
    if (!disk.trusts_bitmap) served.connection->ignore_bitmap();
    served.what = {.bitmap = disk.trusts_bitmap ? own.bitmap : "", .size = disk.capacity, .uri = own.uri};
    disks_.push_back(std::move(disk));
    served_.push_back(std::move(served));
    return {};
  }

  // The first reader takes over the open connection, because some servers end with their client.
  Result<std::unique_ptr<DiskReader>> open(std::size_t disk) override {
    Served& served = served_.at(disk);
    return std::make_unique<Reader>(served.what, limits_, std::move(served.connection));
  }

 private:
  struct Served {
    Export what;
    std::unique_ptr<Connection> connection;
  };

  const Limits limits_;
  std::vector<Served> served_;
};

}  // namespace

Result<std::unique_ptr<Capture>> NbdDriver::prepare(const PrepareRequest& request, Ledger&) {
  if (request.disks.empty()) return fail(EINVAL, "the machine has no disks to back up");
  auto capture = std::make_unique<NbdCapture>(limits_.ended_by(request.cancel));
  for (const DiskRequest& disk : request.disks) HF_CHECK(capture->add(disk));
  return capture;
}

Result<> NbdDriver::sweep(const MachineDefinition&, std::span<const Leftover>, PointFate, Ledger&) {
  return {};
}

Result<std::vector<Driver::HostName>> NbdDriver::host_names(const MachineDefinition& machine) {
  std::vector<HostName> names;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const DiskFields own, fields_of(disk));
    for (std::string& path : paths_in(own.uri)) names.push_back({std::move(path)});
  }
  return names;
}

Result<std::vector<Driver::Discovered>> NbdDriver::discover(const MachineDefinition& machine) {
  std::vector<Discovered> found;
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const DiskFields own, fields_of(disk));
    const auto connection = connect(disk.name, own, limits_);
    if (!connection) {
      found.push_back({disk.name, 0, false, connection.error().message});
      continue;
    }
    const bool tracks = !(*connection)->bitmap_context().empty();
    found.push_back({disk.name, (*connection)->size(), tracks,
                     tracks ? "" : "no bitmap is trusted: all of it is read, and what differs is stored"});
  }
  return found;
}

}  // namespace holdfast::source::nbd
