// Decides which of a machine's points retention keeps now, and why.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"
#include "catalog/stores/retention.h"
#include "engine/repository/readers.h"
#include "engine/retention/rules.h"

namespace holdfast::retention {

struct PlannedPoint {
  Retention::Kept point;
  std::string repository, policy;  // names; "" if there is none
  bool good = true;
  Judgement judgement;
};

struct Plan {
  std::string machine;
  std::optional<Retirement> retirement;
  std::vector<PlannedPoint> points;  // by time; a point's copies follow it
  std::string warning;               // why the last pruning could not do everything
};

// Call inside a transaction. If the caller holds `readers.changing()`, the plan stays true for that
// repository until it lets go, because no image is opened there meanwhile. `as_if` judges the points of all
// flows in place of the flows' own policies.
Result<Plan> make_plan(db::Connection& db, repository::Readers& readers, Id machine, Time now,
                       const Policy* as_if = nullptr);

// Returns those of `points` that the flow's policy would keep in the repository. The others would be carried
// only to be pruned again.
Result<std::set<Id>> worth_carrying(db::Connection& db, const Flow& flow, Id machine, Id repository,
                                    const std::set<Id>& points, Time now);

// Says why the point may not be removed, whatever the policy says (law 12); "" if it may.
std::string held_against_removal(const Plan& plan, Id point);

}  // namespace holdfast::retention
