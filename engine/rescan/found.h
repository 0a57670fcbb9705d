// Contents of a repository, as its own documents and images say it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast::rescan {

// A file that could not be used, or that differs from the catalog, with the reason.
struct Finding {
  std::string file;  // relative to the repository
  std::string why;
};

struct FoundDisk {
  PointDisk disk;        // without ids
  std::string file;      // relative to the machine's directory: "TIME/DISK.qcow2"
  std::string image_id;  // as in the image's header
  std::string rests_on;  // the file below, likewise; "" if the image is whole
  std::uint64_t file_bytes = 0;
};

// A point, or a copy of one.
struct FoundPoint {
  Point point;               // without ids of other rows; the chain's id as it was; `retired` or `committed`
  std::string machine;       // the machine's name at that time
  std::string parent;        // the parent's name; "" for a full
  bool names_its_id = true;  // false in manifests from before they had the point's id
  bool is_copy = false;      // the point itself lies in another repository
  bool damaged = false;      // a copy that its last verification found damaged
  bool is_whole = true;      // false: an image is absent or another point's
  std::string facts_sha256;  // digest of facts.json; "" without one
  std::optional<Time> copied_at;
  std::vector<Pin> pins;
  std::vector<Verdict> verdicts;
  std::optional<BootCheck> boot_check;
  std::string screenshot;  // a PNG; "" if there is none
  std::vector<FoundDisk> disks;
  std::vector<Finding> findings;  // images that can't be used
};

}  // namespace holdfast::rescan
