#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Points with their disks, chains and layers, which law 2 commits together. Lives inside one transaction.
//
//   add → writing ──freeze──► writing ──commit──► committed ──► removed
//            └────────────────────┴──────────────────────────────┘
class Points {
 public:
  explicit Points(db::Connection& connection) : db_(connection) {}

  // Adds a point in state `writing`: without its final name, a chain or disks. EBUSY: the machine has another
  // that is being written.
  Result<> add(const Point& point);
  // Records the freeze: the instant, the name and the chain. EEXIST: the machine has a point of that name.
  Result<> freeze(Id point, Time time, std::string_view name, Id chain);
  Result<> add_chain(const Chain& chain);
  // Commits (law 2) layers, disks with their change ids, the point's facts but machine, repository, job and
  // flow, the state, and the counters of repository and machine. EINVAL: it is not being written.
  Result<> commit(const Point& point, const std::vector<Layer>& layers);
  Result<> set_verified(Id point, const Point::Verification& verification);  // the last time only
  // Makes the revisions of the point and its machine grow, because a fact was added. ENOENT: no committed
  // point.
  Result<> touch(Id point);
  // Forgets the change id of a disk of a point, because it is about to go at the source.
  Result<> forget_change_id(Id point_disk);
  // Distrusts the change ids of all points of the machine so far.
  Result<> reset_cbt(Id machine);
  // Notes that its repository has the facts of that revision.
  Result<> set_told(Id point, std::int64_t revision);
  // Removes the point with its disks and layers, and an empty chain; counters follow. EBUSY while another
  // point rests on it, it is pinned (law 12) or copied, or has leftovers at the source (law 8).
  Result<> remove(Id id);

  Result<Point> get(Id id);
  Result<std::optional<Id>> find(Id machine, std::string_view name);  // committed ones only
  Result<std::vector<Named>> list(Id machine);                        // committed ones, oldest first
  // The committed point that came last (law 21), of those not found damaged and whose last verdict is not
  // bad. Each repository has its own count of commits; the ids order points of several repositories.
  Result<std::optional<Point>> newest_good(Id machine);
  Result<std::optional<Named>> newest_good(Id machine, Time not_later_than);
  // The committed point that was made last in the repository: the next run's parent.
  Result<std::optional<Point>> newest(Id machine, Id repository);
  Result<std::vector<Id>> repositories_of(Id machine);         // repositories with its chains
  Result<std::vector<Id>> of_repository(Id repository);        // committed ones, as they came
  Result<std::vector<Point>> of_execution(Id execution);       // committed ones, without their disks
  Result<std::vector<Id>> after(Id id, int at_most);           // committed ones, as they came
  Result<std::vector<Id>> untold(Id repository, int at_most);  // the newest points with facts that it lacks
  Result<std::vector<Point>> writing();                        // also of an earlier life

  Result<Chain> chain(Id id);                       // ENOENT
  Result<std::vector<Chain>> chains(Id machine);    // oldest first
  Result<std::vector<Point>> of_chain(Id chain);    // committed ones in their order, without their disks
  Result<std::optional<Id>> job_of_full(Id chain);  // the job of its full point, while that is known
  Result<std::vector<Layer>> layers_of(Id chain);   // in the order of their making

  Result<PointDisk> disk(Id point_disk);
  Result<Layer> layer(Id id);
  // A layer and all layers below it, the newest first.
  Result<std::vector<Layer>> stack(Id layer);

  struct Total {
    std::int64_t points = 0;
    std::uint64_t bytes_stored = 0;
  };
  Result<Total> of_machine(Id machine);
  Result<std::int64_t> damaged(Id machine);  // number of points that their last verification found damaged

 private:
  db::Connection& db_;
};

}  // namespace holdfast
