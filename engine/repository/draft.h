// A point on its way into a repository: written in TIME.partial/, published by one rename (law 2).
//
//   create | take_up → (files made, written, synced by their writers) → documents → publish
//
// Until publish() returns, nothing of it counts. One thread at a time.
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

  // The same, with what an earlier try has written of its disks.
  static Result<Draft> take_up(std::shared_ptr<Place> place, const std::string& machine_key,
                               const std::string& point_name);

  const std::string& partial() const { return partial_; }

  struct DiskFiles {
    std::unique_ptr<File> image;
    std::unique_ptr<File> sums;
  };
  Result<DiskFiles> create_disk(const std::string& disk_name, const std::string& image_id);

  // For the sums of the disk's content, beside the image.
  Result<std::unique_ptr<File>> create_content(const std::string& image_id);

  // Documents beside the images, everything synced, one rename, the parent directory synced.
  Result<> publish(const Point& point, const ManifestNames& names, const std::vector<Layer>& layers);

 private:
  Draft(std::shared_ptr<Place> place, std::string machine_key, std::string point_name);

  std::shared_ptr<Place> place_;
  std::string machine_key_;
  std::string point_name_;
  std::string partial_;  // path of the .partial directory
};

}  // namespace holdfast::repository
