#include "engine/repository/site.h"

#include <algorithm>
#include <filesystem>

#include "catalog/base/disk.h"
#include "catalog/base/host_path.h"
#include "engine/repository/place.h"

namespace holdfast::repository {
namespace {

// Patience with neighbours. The path of one that hangs is taken as it is written.
constexpr std::chrono::seconds kForNeighbours{2};

bool lies_below(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) && path[directory.size()] == '/';
}

bool has_above(const HostPath& path, const std::optional<HostPath::Identity>& directory) {
  return directory && std::ranges::find(path.above, *directory) != path.above.end();
}

Result<> check_apart(const std::string& path, const HostPath& site, const Neighbour& neighbour,
                     const HostPath& its) {
  if (site.real == its.real || (site.own && site.own == its.own))
    return fail(EEXIST, "{} is {} already, at {}", path, neighbour.label, neighbour.path);
  const bool inside = lies_below(site.real, its.real) || has_above(site, its.own);
  if (inside || lies_below(its.real, site.real) || has_above(its, site.own))
    return fail(EINVAL, "{} lies {} {}, at {}; name a directory apart from it", path,
                inside ? "inside of" : "above", neighbour.label, neighbour.path);
  return {};
}

// A repository that is not defined here counts as well.
Result<> check_above(const std::string& path, const HostPath& site) {
  for (std::filesystem::path at = site.real; at.has_relative_path();) {
    at = at.parent_path();
    if (Place::marker_of(at.string()))
      return fail(EINVAL, "{} lies inside of a repository, at {}; name a directory apart from it", path,
                  at.string());
  }
  return {};
}

}  // namespace

Result<bool> prepare_site(const RepositoryDefinition& definition, const std::vector<Neighbour>& neighbours) {
  const std::string& path = definition.path;
  HF_TRY(const HostPath site, look_up(path));
  std::vector<std::string> paths;
  for (const Neighbour& neighbour : neighbours) paths.push_back(neighbour.path);
  const auto found = look_up(paths, kForNeighbours);
  for (std::size_t i = 0; i < neighbours.size(); ++i)
    HF_CHECK(check_apart(path, site, neighbours[i], found[i].value_or(HostPath{.real = paths[i]})));
  HF_CHECK(check_above(path, site));
  if (site.absent == 0) return false;
  if (site.absent > 1)
    return fail(ENOENT, "neither {} nor the directory above it exists; make it, or mount what belongs there",
                path);
  if (!definition.create)
    return fail(ENOENT,
                "there is no {}; mount what belongs there, make the directory, or write \"create\": true "
                "beside its path",
                path);
  const auto slash = site.real.rfind('/');
  HF_TRY(const auto above, open_directory(slash == 0 ? "/" : site.real.substr(0, slash)));
  HF_CHECK(above->make_directory(site.real.substr(slash + 1)));
  return true;
}

}  // namespace holdfast::repository
