#include "engine/repair/mend_layer.h"

#include <algorithm>

#include "catalog/base/sha256.h"
#include "engine/image/transplant.h"
#include "engine/retention/ground.h"
#include "engine/verify/layer_check.h"

namespace holdfast::repair {
namespace {

using repository::Place;

constexpr char kMending[] = ".mending";

std::unique_ptr<File> open_if_possible(const Directory& directory, const std::string& path) {
  auto file = directory.open(path, Access::read);
  return file ? *std::move(file) : nullptr;
}

class LayerMender {
 public:
  LayerMender(const Place& place, const verify::StoredLayer& stored, const Twins& twins,
              const image::Watch& watch)
      : directory_(place.directory()),
        place_(place),
        stored_(stored),
        twins_(twins),
        watch_(watch),
        paths_(Place::paths_of(stored.machine_key, stored.layer)),
        folder_(paths_.image.substr(0, paths_.image.rfind('/'))) {}

  Result<image::Mending> run() {
    HF_CHECK(make_if_missing(directory_, stored_.machine_key));
    HF_CHECK(make_if_missing(directory_, folder_));
    auto mended = mend();
    if (!mended) HF_CHECK(sweep());
    return mended;
  }

 private:
  Result<> sweep() {
    HF_CHECK(retention::remove_if_there(directory_, paths_.image + kMending));
    return retention::remove_if_there(directory_, paths_.sums + kMending);
  }

  Result<image::Mending> mend() {
    HF_CHECK(sweep());
    std::vector<std::unique_ptr<File>> images;
    images.push_back(open_if_possible(directory_, paths_.image));
    for (const Twin& twin : twins_.found)
      images.push_back(open_if_possible(twin.place->directory(), twin.paths.image));
    HF_TRY(const auto sums, find_sums(images));
    HF_TRY(const auto made, directory_.create(paths_.image + kMending));
    HF_TRY(auto mending, image::mend_image(*sums, images, hidden(), *made, watch_));
    if (!mending.lost.empty()) HF_CHECK(take_from_donors(*sums, *made, mending));
    HF_CHECK(put_in_place(images.front().get(), *made, mending));
    return mending;
  }

  // Other layers of the disk may have stored the same. Without tables of its own the image names no places.
  Result<> take_from_donors(const File& sums, File& made, image::Mending& mending) {
    const auto patient = open_alone({open_if_possible(directory_, paths_.image + kMending), nullptr});
    if (!patient) return {};
    std::vector<std::shared_ptr<const image::Stack>> donors;
    for (const Twin& donor : twins_.donors)
      if (auto opened = open_donor(donor)) donors.push_back(std::move(opened));
    auto done = image::transplant(sums, patient, donors, mending, made, watch_);
    if (!done) return done.error().damage ? Result<>{} : tl::make_unexpected(done.error());
    mending = *std::move(done);
    return {};
  }

  static std::shared_ptr<const image::Stack> open_donor(const Twin& donor) {
    auto sums = open_if_possible(donor.place->directory(), donor.paths.sums);
    if (!sums) return nullptr;  // nothing is taken without checks
    return open_alone({open_if_possible(donor.place->directory(), donor.paths.image), std::move(sums)});
  }

  // Opens one layer without those below it.
  static std::shared_ptr<const image::Stack> open_alone(image::LayerFiles files) {
    const auto facts = files.image ? image::inspect(*files.image) : fail(ENOENT, "there is no image");
    if (!facts) return nullptr;
    std::vector<image::LayerFiles> alone;
    alone.push_back(std::move(files));
    const bool is_full = facts->backing_file.empty();
    auto opened = image::Stack::open(std::move(alone),
                                     is_full ? image::Stack::Below::nothing : image::Stack::Below::more);
    return opened ? *std::move(opened) : nullptr;
  }

  // Data that no point sees may be holes. While the tables are damaged nobody can tell, and a twin may have
  // it.
  std::vector<image::HostRange> hidden() const {
    auto found = verify::hidden_in(place_, stored_);
    return found ? *std::move(found) : std::vector<image::HostRange>{};
  }

  Result<bool> is_right(const File& sums) const {
    if (!stored_.layer.sums_sha256.empty()) {
      const auto found = sha256_hex(sums, [&] { return watch_(0); });
      if (!found && found.error().code == ECANCELED) return tl::make_unexpected(found.error());
      return found && *found == stored_.layer.sums_sha256;
    }
    const auto header = image::SumsHeader::read(sums);
    return header && image::hex(header->id) == stored_.layer.image_id;
  }

  Result<std::unique_ptr<File>> find_sums(const std::vector<std::unique_ptr<File>>& images) {
    if (auto own = open_if_possible(directory_, paths_.sums)) {
      HF_TRY(const bool right, is_right(*own));
      if (right) return own;
    }
    for (const Twin& twin : twins_.found) {
      const auto its = open_if_possible(twin.place->directory(), twin.paths.sums);
      if (!its) continue;
      HF_TRY(const bool right, is_right(*its));
      if (right) return replaced_sums([&](File& to) { return copy(*its, to); });
    }
    for (const auto& image : images) {
      if (!image || stored_.layer.sums_sha256.empty()) continue;
      auto made = replaced_sums([&](File& to) -> Result<> {
        HF_CHECK(image::sum_up(*image, to, watch_));
        return {};
      });
      if (!made && made.error().code != EIO && made.error().code != EINVAL) return made;
      if (!made) continue;
      HF_TRY(const bool right, is_right(**made));
      if (right) return made;
    }
    return fail_damaged(EIO, "{} is damaged, and no other file has these checksums", paths_.sums);
  }

  // Writes the checksums beside the damaged ones.
  template <class Write>
  Result<std::unique_ptr<File>> replaced_sums(Write write) {
    HF_CHECK(retention::remove_if_there(directory_, paths_.sums + kMending));
    HF_TRY(auto made, directory_.create(paths_.sums + kMending));
    HF_CHECK(write(*made));
    HF_CHECK(made->sync_data());
    has_new_sums_ = true;
    return made;
  }

  static Result<> copy(const File& from, File& to) {
    HF_TRY(const std::uint64_t size, from.size());
    Bytes piece(std::min<std::uint64_t>(size, kMiB));
    for (std::uint64_t at = 0; at < size; at += piece.size()) {
      piece.resize(std::min<std::uint64_t>(piece.size(), size - at));
      HF_TRY(const std::size_t got, from.read_at(at, piece));
      if (got != piece.size()) return fail_damaged(EIO, "{} ends at {}", from.name(), at + got);
      HF_CHECK(to.write_at(at, piece));
    }
    return {};
  }

  Result<> put_in_place(const File* own, const File& made, const image::Mending& mending) {
    HF_TRY(const std::uint64_t size, made.size());
    const auto own_size = own == nullptr ? Result<std::uint64_t>(0) : own->size();
    const bool is_whole = mending.lost.empty();
    const bool is_better = mending.healed > 0 || (is_whole && (!own_size || *own_size != size));
    if (has_new_sums_) HF_CHECK(directory_.rename(paths_.sums + kMending, paths_.sums));
    if (is_better) {
      HF_CHECK(displace_another());
      HF_CHECK(directory_.rename(paths_.image + kMending, paths_.image));
    }
    HF_CHECK(sweep());
    return directory_.sync(folder_);
  }

  // Another layer's image that lies here may be the only one, so it stays under a name of its own.
  Result<> displace_another() {
    const auto image = open_if_possible(directory_, paths_.image);
    const auto facts = image ? image::inspect(*image) : fail(ENOENT, "there is no image");
    if (!facts || facts->image_id.empty() || facts->image_id == stored_.layer.image_id) return {};
    const std::string displaced = folder_ + "/" + facts->image_id + ".displaced";
    HF_TRY(const bool is_known, directory_.exists(displaced));
    return is_known ? Result<>{} : directory_.rename(paths_.image, displaced);
  }

  Directory& directory_;
  const Place& place_;
  const verify::StoredLayer& stored_;
  const Twins& twins_;
  const image::Watch& watch_;
  const Place::LayerPaths paths_;
  const std::string folder_;
  bool has_new_sums_ = false;
};

}  // namespace

Result<image::Mending> mend_layer(const Place& place, const verify::StoredLayer& stored, const Twins& twins,
                                  const image::Watch& watch) {
  return LayerMender(place, stored, twins, watch).run();
}

}  // namespace holdfast::repair
