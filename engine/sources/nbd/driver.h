// The driver of exports of NBD servers.
#pragma once

#include "engine/sources/nbd/connection.h"

namespace holdfast::source::nbd {

// Reads everything and stores the differences. With `trust_bitmap` it reads only the areas of a bitmap that
// the user manages.
//
// Such a bitmap can't be frozen, rotated, or recognised once it was recreated. All areas that it names
// therefore count as changed since its user made it. It counts only if the parent was captured from the same
// URI with a bitmap of that name. If it was recreated since, it misses changes, and the sample must find them
// (law 7).
//
// A plain server can't be frozen, so consistency is none. The driver makes nothing at the source, so there is
// nothing to sweep.
class NbdDriver final : public Driver {
 public:
  NbdDriver() = default;
  explicit NbdDriver(const Limits& limits) : limits_(limits) {}

  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, PointFate fate,
                 Ledger& ledger) override;
  Result<std::vector<HostName>> host_names(const MachineDefinition& machine) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;

 private:
  const Limits limits_;
};

}  // namespace holdfast::source::nbd
