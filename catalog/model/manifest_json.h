// A point as JSON: the fields that a repository keeps in manifest.json and the mount shows.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast {

// Names in a manifest, as they were when the point was made.
struct ManifestNames {
  std::string machine;
  std::string repository;
  std::string parent;  // the parent point's name; "" for a full
  // For a repository alone, from which a catalog may begin again.
  std::optional<Id> flow_id{};  // the flow that made the files: its policy judges them
  std::string copied_from{};    // marker of the repository that a copy was carried from; "": no copy
  std::optional<Time> copied_at{};
};

// The fields in a stable order; an absent value is null.
nlohmann::ordered_json manifest(const Point& point, const ManifestNames& names);

// Facts about a point beside its manifest. The last verification may be null.
nlohmann::ordered_json verification_json(const std::optional<Point::Verification>& verified);
// The last boot check, without the point; null if there was none.
nlohmann::ordered_json boot_check_json(const std::optional<BootCheck>& check);
nlohmann::ordered_json pins_json(const std::vector<Pin>& pins);
nlohmann::ordered_json verdicts_json(const std::vector<Verdict>& verdicts);

}  // namespace holdfast
