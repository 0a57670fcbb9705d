// Removes damaged copies whose points the origin has whole, so that the same run carries them anew (law 12).
//
//   1. Copies that share a layer with a damaged one are read, because a damaged layer spoils all that rests
//      on it.
//   2. The points of damaged copies are read at the origin.
//   3. The copies whose points are whole there are retired in one transaction, and their files go.
//
// A damaged copy stays if its point is not whole at the origin or has an open image, or if a place that stays
// rests on it. A copy that another flow carried is that flow's business.
#pragma once

#include <string>
#include <vector>

#include "engine/retention/ground.h"
#include "engine/retention/prune.h"

namespace holdfast::replication {

struct Remaking {
  Id from = 0;  // the origin's id
  Flow flow;
  Id job = 0, execution_id = 0;
};

struct Removed {
  std::vector<std::string> points;    // names of the points whose copies went
  std::vector<std::string> failures;  // a sentence for each damaged copy that stays
};

// Does nothing, and reads nothing, where no copy is known to be damaged. The caller ensures that no other job
// works on the machine, and that its merges are finished.
Result<Removed> remove_damaged_copies(const retention::Ground& target, const Remaking& remaking,
                                      const retention::Prove& prove);

}  // namespace holdfast::replication
