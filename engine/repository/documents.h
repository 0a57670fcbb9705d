// What lies beside the images, for people and for a Holdfast that begins again (law 10).
#pragma once

#include <string>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast::repository {

// What a manifest needs beyond the point itself: names, as they were.
struct ManifestNames {
  std::string machine;
  std::string machine_key;
  std::string repository;
  std::string parent;  // the parent point's name; "" for a full
};

// manifest.json: what the point is. Never changes once it is written.
std::string manifest_text(const Point& point, const ManifestNames& names, const std::vector<Layer>& layers);

// RESTORE.txt: the stock commands for this very point.
std::string restore_text(const Point& point, const ManifestNames& names);

// INDEX.txt: what a repository is, and where to start.
std::string index_text();

}  // namespace holdfast::repository
