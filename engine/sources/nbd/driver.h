// Exports of NBD servers, whoever runs them.
#pragma once

#include "engine/sources/nbd/connection.h"

namespace holdfast::source::nbd {

// Reads everything and stores what differs, or, with `trust_bitmap`, reads what a bitmap of the user's names.
//
// Such a bitmap can't be frozen, rotated, or recognised after it was made anew. So all that it names counts
// as changed, from the day on that its user made it, and it counts at all only when the parent was captured
// from the same URI with a bitmap of that name there: what it did not see from then on, it was made anew to
// forget, and that the sample has to find (law 7). Nobody can freeze a plain server: consistency is none. It
// makes nothing at the source, so there is nothing to sweep.
class NbdDriver final : public Driver {
 public:
  NbdDriver() = default;
  explicit NbdDriver(const Limits& limits) : limits_(limits) {}

  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, bool committed,
                 Ledger& ledger) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;

 private:
  const Limits limits_;
};

}  // namespace holdfast::source::nbd
