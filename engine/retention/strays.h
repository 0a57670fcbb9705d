// Things in a repository that belong to nothing: to no machine, point, copy, layer, document or job.
//
// The catalog is asked before and after each directory is listed, because a row comes before its bytes (law
// 1) and goes after them: whatever it knows at either time belongs to it. A failure to look at something ends
// the search, and nobody may move anything then (law 12).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/common/services.h"
#include "engine/repository/place.h"

namespace holdfast::retention {

struct Stray {
  std::string path;  // relative to the repository; any bytes that a file system takes
  std::uint64_t bytes = 0;
  StrayFate fate = StrayFate::garbage;
  std::string why;
};

struct Strays {
  std::vector<Stray> all;            // by path within each directory
  std::vector<std::string> missing;  // directories of points that the catalog has and the repository lacks
};

// Called for each directory that is looked at; an error that it returns ends the search.
using Watch = std::function<Result<>()>;

Result<Strays> find_strays(const capture::Services& services, const repository::Place& place, Id repository,
                           const Watch& watch);

// Whether the catalog knows the path since it was found as garbage: a job may have begun to use it.
Result<bool> belongs_by_now(const capture::Services& services, Id repository, const std::string& path);

// Names the path in a sentence: with escapes, if it is no text.
std::string shown_path(const std::string& path);

}  // namespace holdfast::retention
