// Documents beside the images, for people and for a Holdfast that begins again (law 10).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "catalog/model/entities.h"
#include "catalog/model/manifest_json.h"

namespace holdfast::repository {

// Returns manifest.json: the point, the machine's key and the point's own images. The file never changes.
std::string manifest_text(const Point& point, const ManifestNames& names, const std::string& machine_key,
                          const std::vector<Layer>& layers);

// Returns the point as the manifest beside its copy describes it. `layers` are the copy's own.
Point as_copied(Point point, const Copy& copy, const std::vector<Layer>& layers);

// Whether a point's directory may hold a document of that name.
bool is_document(std::string_view name);

// Returns RESTORE.txt: the stock commands that restore this point.
std::string restore_text(const Point& point, const ManifestNames& names);

// Returns INDEX.txt: what a repository is, and where to start.
std::string index_text();

}  // namespace holdfast::repository
