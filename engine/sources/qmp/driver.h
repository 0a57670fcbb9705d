// The driver of QEMU and qemu-storage-daemon over QMP.
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/nbd/reader.h"
#include "engine/sources/qmp/client.h"

namespace holdfast::source::qmp {

// Any thread may call; captures of machines behind one socket share its connection.
class QmpDriver final : public source::Driver {
 public:
  QmpDriver() = default;
  QmpDriver(const Limits& limits, const nbd::Limits& nbd_limits) : limits_(limits), nbd_limits_(nbd_limits) {}

  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, PointFate fate,
                 Ledger& ledger) override;
  std::optional<std::string> detail_of_unwanted(const MachineDefinition& machine) override;
  Result<std::vector<HostName>> host_names(const MachineDefinition& machine) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;

 private:
  const Limits limits_;
  const nbd::Limits nbd_limits_;
};

}  // namespace holdfast::source::qmp
