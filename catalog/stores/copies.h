#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Copies of points in further repositories. Lives inside one transaction. A copy has layers of its own, in a
// chain of its repository, whose counters count it.
class Copies {
 public:
  explicit Copies(db::Connection& connection) : db_(connection) {}

  // Adds a copy in state `writing`, without disks. EEXIST: the point is in that repository or on its way
  // there.
  Result<> add(const Copy& copy);
  // Commits its layers, disks and size. EINVAL: it is not being written.
  Result<> commit(const Copy& copy, const std::vector<Layer>& layers);
  // Removes an unfinished copy, and its chain if that is empty then. EINVAL: it is not being written.
  Result<> abandon(Id id);
  // Makes this flow and execution the writer of a copy that another one began.
  Result<> take_over(Id id, std::optional<Id> flow, std::optional<Id> execution);
  // Does nothing when the copy has gone.
  Result<> set_damaged(Id id, bool damaged);
  Result<std::int64_t> damaged(Id machine);  // number of committed copies found damaged

  Result<Copy> get(Id id);                               // ENOENT
  Result<std::vector<Copy>> of_point(Id point);          // committed ones, in the order of their making
  Result<std::vector<Id>> of_repository(Id repository);  // committed ones, as they came
  Result<std::vector<Id>> of_machine(Id machine);        // likewise
  // Copies in the repository that lack the newest facts of their points.
  Result<std::vector<Id>> untold(Id repository, int at_most);
  // Does nothing when the point has another revision by now.
  Result<> set_told(Id id, std::int64_t revision);
  // Unfinished copies of a machine in the repository: on their way, or left by an earlier try.
  Result<std::vector<Copy>> writing(Id machine, Id repository);

  // Place of a point's disks in a repository that holds the point, as its own or as a copy.
  struct Holding {
    Id point = 0;
    bool damaged = false;  // found by its last verification there
    struct Disk {
      Id disk = 0;
      Id layer = 0;
      std::string sums_sha256;
      std::uint64_t bytes_stored = 0;
    };
    std::vector<Disk> disks;
  };
  Result<std::vector<Holding>> held(Id machine, Id repository);  // committed ones, in their points' sequence
  // Points that have gone from the repository, with the layers that others still rest on.
  Result<std::vector<Holding>> going(Id machine, Id repository);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
