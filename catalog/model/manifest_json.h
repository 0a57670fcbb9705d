// What a point is, as JSON: the fields that a repository keeps in manifest.json and the mount shows.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast {

// What a manifest needs beyond the point itself: names, as they were.
struct ManifestNames {
  std::string machine;
  std::string repository;
  std::string parent;  // the parent point's name; "" for a full
};

// In a stable order; what is absent is null.
nlohmann::ordered_json manifest(const Point& point, const ManifestNames& names);

// What is known of a point beside that. The last verification, or null.
nlohmann::ordered_json verification_json(const std::optional<Point::Verification>& verified);
nlohmann::ordered_json pins_json(const std::vector<Pin>& pins);
nlohmann::ordered_json verdicts_json(const std::vector<Verdict>& verdicts);

}  // namespace holdfast
