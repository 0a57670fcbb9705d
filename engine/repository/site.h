// Decides whether a directory of the host may become a repository, before anything is written to it.
#pragma once

#include <string>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/model/definitions.h"

namespace holdfast::repository {

// A directory that a repository must neither contain nor lie in.
struct Neighbour {
  std::string label;  // "repository 'r'"
  std::string path;
  bool operator==(const Neighbour&) const = default;
};

// Makes the directory if the definition says so. Returns EINVAL if the path leads onto a mount of Holdfast,
// or into a neighbour or any other repository, or lies above a neighbour; EEXIST if it is a neighbour; ENOENT
// if there is no directory. ETIMEDOUT: its file system hangs. Returns whether the directory was made.
Result<bool> prepare_site(const RepositoryDefinition& definition, const std::vector<Neighbour>& neighbours);

}  // namespace holdfast::repository
