// Reads a repository into a catalog: all that it has and the catalog lacks (law 10).
//
//   definitions ──▶ machines, flows, policies …   that the catalog lacks, under their names and owners
//   directories ──▶ points, chains, layers        with pins, verdicts and verifications
//                   copies                        of points that lie in another repository, too
//   the count of commits                          is this catalog's from here on (repository/sequence.h)
//
// Each machine is one transaction, so that an interrupted rescan is continued by the next. What can't be used
// is told, and stays as it is: nothing is deleted, moved or written but the count.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "engine/repository/place.h"
#include "engine/rescan/found.h"

namespace holdfast::rescan {

struct Report {
  std::string repository;            // the name
  std::vector<std::string> objects;  // added: "machines/web"
  int points = 0, copies = 0;        // added
  int known = 0;                     // points that the catalog had already
  int gone = 0;                      // images that a newer catalog had deleted, and this one had not
  std::vector<Finding> findings;
};

// Writes into the repository: none, or this catalog's key into the count of commits.
enum class Write { nothing, count };

// Called between two points; an error that it returns ends the rescan.
using Watch = std::function<Result<>()>;

// Knows the repository by its marker, and makes it, or moves it to the place's path. EBUSY: the count is to
// be written, and another daemon writes there.
Result<Report> rescan(Catalog& catalog, const repository::Place& place, Time now,
                      const std::optional<Caller>& caller, const Watch& watch, Write write);

}  // namespace holdfast::rescan
