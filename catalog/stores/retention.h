#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Queries and changes of retention: points on their way out, and the layers that stay behind. Lives inside
// one transaction.
//
//   committed ──retire──► retired ──forget, once none of its layers is there──► removed
//
// Copies go in the same steps. A point that has a copy stays as that copy, and its old place goes. A layer
// that no point and no copy shows stays for as long as another rests on it.
class Retention {
 public:
  explicit Retention(db::Connection& connection) : db_(connection) {}

  // A committed point, or a committed copy of one, as the rules of a policy see it.
  struct Kept {
    Id id = 0;
    std::string name;
    Time time{};
    Id repository_id = 0;
    std::optional<Id> flow_id, policy_id;
    std::string flow;                      // the flow's name
    bool damaged = false;                  // found by the last verification
    std::optional<VerdictResult> verdict;  // the last word
    bool pinned = false;
    bool carried = false;    // true: a copy, or a point that was one
    std::optional<Id> copy;  // absent: the point itself
  };
  Result<std::vector<Kept>> points(Id machine, Time now);  // by time; before its copies, the point itself

  // Retires the point, or makes a copy the point. EBUSY: it is pinned or has leftovers at the source.
  Result<> retire(Id point, Time now);
  Result<> retire_copy(Id copy, Time now);
  Result<> retire_altogether(Id point, Time now);
  struct Gone {
    Id id = 0;
    std::string name;  // the point's
    bool is_copy = false;
  };
  Result<std::vector<Gone>> retired(Id machine, Id repository);
  // Points of other repositories that have a copy there, or one on its way here or out.
  Result<std::vector<std::string>> copies(Id machine, Id repository);
  // Removes a retired point without layers. A point stays while others name it as their parent, or while
  // copies of it are on their way out.
  Result<> forget(Id point);
  Result<> forget_copy(Id copy);
  // Removes a retired point without layers that nothing needs any more; any other point stays.
  Result<> forget_if_bare(Id point);

  struct StoredLayer : Layer {
    bool shown = false;
    Id punched_under = 0;
    std::string disk;                // the disk's name
    std::string content_sha256;      // as recorded with the point that it was made for
    std::uint64_t bytes_stored = 0;  // size of its files on disk, as last recorded
  };
  // All layers of a machine in a repository, in the order of their making.
  Result<std::vector<StoredLayer>> layers(Id machine, Id repository);
  // Records how much its files take up now, for its point, the machine and the repository.
  Result<> set_stored(Id layer, std::uint64_t bytes, Time now);
  Result<> forget_layer(Id layer, Time now);  // EBUSY: it is shown, or another rests on it
  Result<> set_punched(Id layer, Id under);

  // A merge is recorded before its image takes the layer's place, and after.
  Result<> begin_merge(Id layer, const std::string& image_id, Id onto);
  Result<> end_merge(Id layer, std::uint64_t file_bytes, const std::string& sums_sha256,
                     const std::string& content_sha256);
  Result<> give_up_merge(Id layer);
  Result<std::vector<Id>> merging();  // machines with an unfinished merge

  // Machines that have lost points or copies since a pruning last ended.
  Result<std::vector<Id>> due();
  Result<> set_due(Id machine, bool due);

  struct Retired {
    Time at{};
    std::chrono::seconds keep{0};
  };
  Result<std::optional<Retired>> retirement(Id machine);
  Result<> set_retirement(Id machine, const std::optional<Retired>& retirement);
  // Machines whose time is over, and that have points which are not pinned.
  Result<std::vector<Id>> over(Time now);
  // The warning of the last pruning; "" when it did everything.
  Result<std::string> warning(Id machine);
  Result<> set_warning(Id machine, const std::string& warning);

 private:
  db::Connection& db_;
};

}  // namespace holdfast
