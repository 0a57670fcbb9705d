#pragma once

#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Points in further repositories. Lives inside one transaction. A copy has layers of its own, in a chain of
// its repository; its counters count it there.
class Copies {
 public:
  explicit Copies(db::Connection& connection) : db_(connection) {}

  // In state `writing`, without disks. EEXIST: the point is in that repository or on its way there.
  Result<> add(const Copy& copy);
  // Its layers, its disks and what it takes up. EINVAL: it is not being written.
  Result<> commit(const Copy& copy, const std::vector<Layer>& layers);
  // One that won't be written to its end, and its chain if it was the last. EINVAL: it is not being written.
  Result<> abandon(Id id);
  // One that somebody else has begun is written by these from now on.
  Result<> take_over(Id id, std::optional<Id> flow, std::optional<Id> execution);
  Result<> set_damaged(Id id, bool damaged);

  Result<Copy> get(Id id);                               // ENOENT
  Result<std::vector<Copy>> of_point(Id point);          // committed ones, in the order of their making
  Result<std::vector<Id>> of_repository(Id repository);  // committed ones, as they came
  // Points of which copies there have not been told what is known of them.
  Result<std::vector<Id>> untold(Id repository, int at_most);
  // Nothing, when the point has another revision by now.
  Result<> set_told(Id id, std::int64_t revision);
  // Of a machine, there: on their way, or left so by an earlier try.
  Result<std::vector<Copy>> writing(Id machine, Id repository);

  // Where the disks of a point lie in a repository that has it, as its own or as a copy.
  struct Holding {
    Id point = 0;
    bool damaged = false;  // by the last verification of what lies there
    struct Disk {
      Id disk = 0;
      Id layer = 0;
      std::string sums_sha256;
      std::uint64_t bytes_stored = 0;
    };
    std::vector<Disk> disks;
  };
  Result<std::vector<Holding>> held(Id machine, Id repository);  // committed ones, by the points' time
  // Points that others have, and that have gone from there: with the layers that others still rest on.
  Result<std::vector<Holding>> going(Id machine, Id repository);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
