// What lies beside the images, for people and for a Holdfast that begins again (law 10).
#pragma once

#include <string>
#include <vector>

#include "catalog/model/entities.h"
#include "catalog/model/manifest_json.h"

namespace holdfast::repository {

// manifest.json: what the point is, with the machine's key and the images that are its own. Never changes
// once it is written.
std::string manifest_text(const Point& point, const ManifestNames& names, const std::string& machine_key,
                          const std::vector<Layer>& layers);

// RESTORE.txt: the stock commands for this very point.
std::string restore_text(const Point& point, const ManifestNames& names);

// INDEX.txt: what a repository is, and where to start.
std::string index_text();

}  // namespace holdfast::repository
