#include "engine/reading/reading.h"

#include "catalog/stores/points.h"
#include "engine/objects/kinds.h"
#include "engine/runs/runner.h"

namespace holdfast {

// Opening is in the log whatever comes of it (law 15).
Result<std::shared_ptr<OpenedImage>> Reading::open(Id point_disk, ImageForm form, const Caller& caller) {
  PointDisk disk;
  Ownership owner;
  HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(disk, Points(db).disk(point_disk));
    HF_TRY(owner, ownership_of(db, ObjectKind::point_disk, point_disk));
    return {};
  }));
  auto image = images_.open(disk, form);
  events_.tell(point_disk, "image.open", image ? EventResult::ok : EventResult::failed,
               image ? "" : image.error().message, caller);
  if (!image && image.error().code == ENOENT)
    return fail(EIO, "an image of this point is missing: {}", image.error().message);
  if (!image) return tl::make_unexpected(image.error());
  if (!image->detour.empty())
    events_.tell(point_disk, "image.failover", EventResult::ok, image->detour, caller);
  return std::make_shared<OpenedImage>(events_, images_, std::move(disk), form, caller, *std::move(image),
                                       count_open_image(caller.uid == 0 || caller.uid == owner.uid));
}

Guard Reading::count_open_image(bool of_owner) {
  ++open_images_;
  open_images_of_owners_ += of_owner;
  return Guard([this, of_owner] {
    --open_images_;
    open_images_of_owners_ -= of_owner;
    runner_.look_again();
  });
}

}  // namespace holdfast
