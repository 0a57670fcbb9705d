#pragma once

#include <optional>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// When layers were last read whole, and what follows from that. Lives inside one transaction.
//
// A layer is sound from a reading that found it right until a check finds damage, a merge replaces it, or the
// reading is older than a policy asks for.
class Readings {
 public:
  explicit Readings(db::Connection& connection) : db_(connection) {}

  struct ReadLayer {
    Id id = 0;
    std::optional<Id> parent;
    std::uint64_t bytes = 0;      // size of its file
    std::optional<Time> read_at;  // absent: nobody has read it since it was written
    bool sound = false;
  };
  Result<std::vector<ReadLayer>> layers(Id repository);
  // A layer that a point or a copy shows, and the policy of the flow that made that.
  struct Shown {
    Id layer = 0;
    Id policy = 0;
  };
  Result<std::vector<Shown>> shown(Id repository);

  // Notes that each byte was read. ENOENT: the layer has gone.
  Result<> set_read(Id layer, Time at, bool sound);
  Result<> set_unsound(Id layer);
  // Notes the same of each layer that the point rests on and that was not read later.
  Result<> set_point_read(Id point, Time at);

  struct Home {
    Id machine = 0, repository = 0;
  };
  Result<Home> home(Id layer);  // ENOENT
  struct Resting {
    std::vector<Id> points, copies;  // committed ones
  };
  Result<Resting> resting_on(Id layer);
  // Committed points of which all layers are sound, and were read since the point was last verified. Leaves
  // out what only a comparison can find right again.
  Result<std::vector<Id>> read_through(Id machine, Id repository);

  // The moment up to which the policy has read its share of the repository; absent: it has not begun.
  Result<std::optional<Time>> done_until(Id policy, Id repository);
  Result<> set_done_until(Id policy, Id repository, Time at);

  struct Total {
    std::uint64_t layer_bytes = 0;
    std::uint64_t sound_bytes = 0;
    std::optional<Time> last_verified_at;
  };
  Result<Total> of_machine(Id machine);
  Result<Total> of_repository(Id repository);
  Result<Total> of_all();
  struct OwnedTotal {
    Ownership ownership;
    Total total;
  };
  Result<std::vector<OwnedTotal>> by_owner();  // sums over all machines

 private:
  db::Connection& db_;
};

}  // namespace holdfast
