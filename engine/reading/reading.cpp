#include "engine/reading/reading.h"

#include "catalog/stores/points.h"
#include "engine/runs/runner.h"

namespace holdfast {

// Opening is in the log whatever comes of it (law 15).
Result<std::shared_ptr<OpenedImage>> Reading::open(Id point_disk, ImageForm form, const Caller& caller) {
  HF_TRY(PointDisk disk,
         services_.catalog.read([&](db::Connection& db) { return Points(db).disk(point_disk); }));
  auto image = images_.open(disk, form);
  events_.tell(point_disk, "image.open", image ? EventResult::ok : EventResult::failed,
               image ? "" : image.error().message, caller);
  if (!image && image.error().code == ENOENT)
    return fail(EIO, "an image of this point is missing: {}", image.error().message);
  if (!image) return tl::make_unexpected(image.error());
  if (!image->detour.empty())
    events_.tell(point_disk, "image.failover", EventResult::ok, image->detour, caller);
  return std::make_shared<OpenedImage>(events_, images_, std::move(disk), form, caller, *std::move(image),
                                       count_open_image());
}

Guard Reading::count_open_image() {
  ++open_images_;
  return Guard([this] {
    --open_images_;
    runner_.look_again();
  });
}

}  // namespace holdfast
