// A point being written into a repository: in TIME.partial/, then published by one rename (law 2).
//
//   create | take_up → (files made, written, synced by their writers) → documents → publish
//
// A draft does not count as a point until publish() returns. A draft is used by one thread at a time.
#pragma once

#include <memory>
#include <string>

#include "engine/repository/documents.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

class Draft {
 public:
  static Result<Draft> create(std::shared_ptr<Place> place, const std::string& machine_key,
                              const std::string& point_name);

  // Continues with the files that an earlier run has written.
  static Result<Draft> take_up(std::shared_ptr<Place> place, const std::string& machine_key,
                               const std::string& point_name);

  const std::string& partial() const { return partial_; }

  struct DiskFiles {
    std::unique_ptr<File> image;
    std::unique_ptr<File> sums;
  };
  Result<DiskFiles> create_disk(const std::string& disk_name, const std::string& image_id);

  // Creates the file of the disk's content sums, beside the image.
  Result<std::unique_ptr<File>> create_content(const std::string& image_id);

  // Writes the documents, syncs everything, renames the directory and syncs its parent. Returns the
  // manifest's digest.
  Result<std::string> publish(const Point& point, const ManifestNames& names,
                              const std::vector<Layer>& layers);

 private:
  Draft(std::shared_ptr<Place> place, std::string machine_key, std::string point_name);

  std::shared_ptr<Place> place_;
  std::string machine_key_;
  std::string point_name_;
  std::string partial_;  // path of the .partial directory
};

}  // namespace holdfast::repository
