#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Points with their disks, chains and layers: written together, since law 2 commits them together. Lives
// inside one transaction.
//
//   add → writing ──freeze──► writing ──commit──► committed ──► removed
//            └────────────────────┴──────────────────────────────┘
class Points {
 public:
  explicit Points(db::Connection& connection) : db_(connection) {}

  // Adds it in state `writing`: no name that is its own, no chain and no disks yet. EBUSY: the machine has
  // another that is being written.
  Result<> add(const Point& point);
  // The freeze: its instant, its name (EEXIST: the machine has a point of that name) and its chain.
  Result<> freeze(Id point, Time time, std::string_view name, Id chain);
  Result<> add_chain(const Chain& chain);
  // The commit of law 2: layers, disks with their change ids, the point's own facts (all but machine,
  // repository and what ran it) and the state, and the counters of repository and machine. EINVAL: it is
  // not being written.
  Result<> commit(const Point& point, const std::vector<Layer>& layers);
  Result<> set_verified(Id point, const Point::Verification& verification);  // the last time only
  // Something is known of it that was not before: its revision, and its machine's. ENOENT: no committed one.
  Result<> touch(Id point);
  Result<std::optional<Time>> last_verified(Id repository);  // when any of its points was
  // Of all points of the machine so far.
  Result<> reset_cbt(Id machine);
  // Its repository has what was known at that revision.
  Result<> set_told(Id point, std::int64_t revision);
  // With its disks and layers, and its chain if it was the last; counters follow. EBUSY while another
  // point rests on it, it is pinned (law 12) or copied, or what its capture made at the source is still to be
  // swept (law 8).
  Result<> remove(Id id);

  Result<Point> get(Id id);
  Result<std::optional<Id>> find(Id machine, std::string_view name);  // committed ones only
  Result<std::vector<Named>> list(Id machine);                        // committed ones, oldest first
  // Committed, not found damaged, and not called bad by whoever spoke last.
  Result<std::optional<Point>> newest_good(Id machine);
  Result<std::optional<Named>> newest_good(Id machine, Time not_later_than);
  // Committed, and made there: the one that a run takes up from.
  Result<std::optional<Point>> newest(Id machine, Id repository);
  Result<std::vector<Id>> repositories_of(Id machine);         // where it has chains
  Result<std::vector<Id>> of_repository(Id repository);        // committed ones, as they came
  Result<std::vector<Point>> of_execution(Id execution);       // committed ones, without their disks
  Result<std::vector<Id>> after(Id id, int at_most);           // committed ones, as they came
  Result<std::vector<Id>> untold(Id repository, int at_most);  // whose facts it has not been told
  Result<std::vector<Point>> writing();                        // what an earlier life left

  Result<Chain> chain(Id id);                       // ENOENT
  Result<std::vector<Chain>> chains(Id machine);    // oldest first
  Result<std::vector<Point>> of_chain(Id chain);    // committed ones in their order, without their disks
  Result<std::optional<Id>> job_of_full(Id chain);  // that made its full point, if it is still known
  Result<std::vector<Layer>> layers_of(Id chain);   // in the order of their making

  Result<PointDisk> disk(Id point_disk);
  Result<Layer> layer(Id id);
  // What the sums of a layer came to, where a point or a copy has that written down.
  Result<std::optional<std::string>> sums_of_layer(Id layer);
  // A layer and all it rests on, the newest first.
  Result<std::vector<Layer>> stack(Id layer);

  struct Total {
    std::int64_t points = 0;
    std::uint64_t bytes_stored = 0;
  };
  Result<Total> of_machine(Id machine);
  Result<std::int64_t> damaged(Id machine);  // how many, by their last verification

 private:
  db::Connection& db_;
};

}  // namespace holdfast
