// What retention would do of a machine's points now, and why each stays or goes.
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
  std::string repository, policy;  // names; "" where there is none
  bool good = true;
  Judgement judgement;
};

struct Plan {
  std::string machine;
  std::optional<Retirement> retirement;
  std::vector<PlannedPoint> points;  // by their time; each of its copies follows a point
  std::string warning;               // why the last pruning could not do all that it should
};

// Inside a transaction; no reader comes or goes while the answer is acted upon, if the caller is in
// `readers.changing()`.
Result<Plan> make_plan(db::Connection& db, repository::Readers& readers, Id machine, Time now);

// Of points that a flow might carry into a repository, those that would stay there by its policy: others
// would only be carried to go again.
Result<std::set<Id>> worth_carrying(db::Connection& db, const Flow& flow, Id machine, Id repository,
                                    const std::set<Id>& points, Time now);

// What holds a point against somebody who wants it gone, whatever the rules say (law 12): a sentence, or "".
std::string held_against_removal(const Plan& plan, Id point);

}  // namespace holdfast::retention
