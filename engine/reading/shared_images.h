// Open images, each opened once for all its readers.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/common/services.h"
#include "engine/image/flat_view.h"
#include "engine/repository/readers.h"

namespace holdfast {

enum class ImageForm {
  raw,    // the disk as it was
  qcow2,  // the same as one flat qcow2, made as it is read
};

// A disk of a point in one repository, open for reading. All readers share its maps and caches.
struct SharedImage {
  Id repository = 0;
  std::shared_ptr<image::Stack> stack;
  std::shared_ptr<image::FlatView> view;            // null unless the form is qcow2
  std::shared_ptr<repository::Readers::Open> open;  // keeps the point open (law 12)
  std::string detour;                               // why the point's own repository is not read; "" if it is
};

// The services must outlive it and the images. Any thread may call.
class SharedImages {
 public:
  explicit SharedImages(const capture::Services& services) : services_(services) {}

  // Opens the disk in the point's own repository or, if that fails, in a repository that holds a copy; skips
  // the repositories `but`. Returns the first error if all fail.
  Result<SharedImage> open(const PointDisk& disk, ImageForm form, const std::set<Id>& but = {});
  // Returns the sentence for a reader who is led to another repository.
  std::string detour_to(Id repository, const std::string& why);

 private:
  // A repository that holds a disk of a point.
  struct Site {
    std::string machine_key;
    Repository repository;
    std::vector<Layer> layers;
    bool checked = true;
  };
  // Lives as long as one of its readers. A mutex of its own is held while it is opened, because its
  // repository may hang.
  struct WeaklyShared {
    Mutex mutex;
    std::weak_ptr<image::Stack> stack HF_GUARDED_BY(mutex);
    std::weak_ptr<image::FlatView> view HF_GUARDED_BY(mutex);  // refers to the stack
  };

  Result<std::vector<Id>> repositories_of(const PointDisk& disk);  // the point's own first
  // Returns ENOENT if the disk has gone from there.
  Result<Site> site_at(const PointDisk& disk, Id repository);
  std::shared_ptr<WeaklyShared> shared_at(const Site& site);
  static bool is_over(WeaklyShared& shared);
  Result<SharedImage> open_at(const Site& site, const PointDisk& disk, ImageForm form);

  const capture::Services& services_;
  Mutex mutex_;
  // By layer, and whether reads are checked.
  std::map<std::pair<Id, bool>, std::shared_ptr<WeaklyShared>> shared_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast
