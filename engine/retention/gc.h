// Garbage collection of a repository: what belongs to nothing (strays.h) is listed, set aside at a person's
// word, and deleted at a second one (law 12).
//
//   garbage ──aside──► lies aside ──delete──► gone
//
// Each step is one entry, so an interrupted collection is continued by the next. Nothing moves where the
// catalog lacks commits or points are absent, because the catalog can't tell there what belongs to it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalog/model/entities.h"
#include "engine/retention/strays.h"

namespace holdfast::retention {

struct Collection {
  Strays found;  // before anything was done
  std::size_t done = 0;
  std::uint64_t bytes_done = 0;
  std::vector<std::string> put_off;  // sentences: what could not be done, and why
};

// Writes lines to the job's log.
using Tell = std::function<Result<>(const std::vector<std::string>& lines)>;

// Returns EROFS if the repository is read-only or the catalog lacks commits there, EBUSY if another daemon
// writes there, EIO if a point is absent; `list` works all the same. `watch` is called between two steps.
Result<Collection> collect(const capture::Services& services, repository::Place& place,
                           const Repository& repository, GcAction action, const Watch& watch,
                           const Tell& tell);

}  // namespace holdfast::retention
