// The steps of writing an image:
//
//   write, zero      data and compressed runs, appended by the pool's threads
//   finish_segment   the segment's L2 tables, the refcount blocks and sums of what is settled
//   finish           the last of these          → sync
//                    L1, refcounts, the size    → sync
//                    the sums                   → sync
//                    the header cluster         → sync: now it is an image
//
// Cluster 0 is a hole until the last step, so an unfinished file has no magic number and is no image.
#include "engine/image/writer.h"

#include <algorithm>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/image/cluster_store.h"
#include "engine/image/header.h"
#include "engine/image/host_file.h"
#include "engine/image/job_pool.h"
#include "engine/image/new_image.h"

namespace holdfast::image {
namespace {

class ImageWriter final : public Writer {
 public:
  ImageWriter(File& image, File& sums, const WriterOptions& options, Geometry geometry)
      : options_(options),
        geometry_(geometry),
        host_(image, &sums, geometry),
        store_(host_, geometry, options) {}

  Result<> start() {
    HF_CHECK(print_header(header()));  // refuses a backing name that doesn't fit, before anything is written
    const std::size_t piece = std::max<std::uint64_t>(kMiB, geometry_.cluster());
    for (unsigned i = 0; i < std::max(1u, options_.compressors); ++i) {
      HF_TRY(auto lane, store_.make_lane(piece));
      lanes_.push_back(std::move(lane));
    }
    const auto work = [this](JobPool::Job job, unsigned thread) {
      return store_.store(job.offset, job.bytes, *lanes_[thread]);
    };
    HF_TRY(pool_, JobPool::start(static_cast<unsigned>(lanes_.size()), piece, work));
    return {};
  }

  Result<> write(std::uint64_t offset, ByteView data) override {
    HF_CHECK(enter_segment(offset, data.size()));
    while (!data.empty()) {
      const std::size_t length = std::min(data.size(), pool_->buffer_bytes());
      HF_CHECK(pool_->submit(offset, data.first(length), geometry_.cluster()));
      offset += length;
      data = data.subspan(length);
    }
    return {};
  }

  Result<> zero(std::uint64_t offset, std::uint64_t length) override {
    HF_CHECK(enter_segment(offset, length));
    return pool_->keep(store_.zero(offset, length));
  }

  Result<> finish_segment(std::uint64_t offset) override {
    const std::uint64_t segment = round_down(offset, kSegment);
    const MutexLock lock(mutex_);
    if (segment + kSegment <= finished_)
      return fail(EINVAL, "the segment at {} is already finished", segment);
    HF_CHECK(pool_->drain());
    finished_ = segment + kSegment;
    return pool_->keep(store_.finish_below(finished_));
  }

  Result<WriterSummary> finish() override {
    HF_CHECK(pool_->drain());
    HF_CHECK(pool_->keep(store_.finish()));
    auto completed = complete(host_, header(), store_.l1());
    if (!completed) HF_CHECK(pool_->keep(tl::make_unexpected(completed.error())));
    (void)pool_->keep(fail(EINVAL, "the image is already finished"));
    WriterSummary summary = std::move(*completed);
    summary.data_bytes = store_.data_bytes();
    summary.zero_bytes = store_.zero_bytes();
    return summary;
  }

 private:
  Header header() const {
    Header header = new_header(geometry_, options_.virtual_size);
    header.zstd = options_.codec == Codec::zstd;
    header.backing_file = options_.backing_file;
    header.id = options_.id;
    return header;
  }

  Result<> check_area(std::uint64_t offset, std::uint64_t length) const {
    const std::uint64_t size = options_.virtual_size;
    if (length > size || offset > size - length)
      return fail(EINVAL, "{} bytes at {} do not lie on a disk of {} bytes", length, offset, size);
    if (offset % geometry_.cluster() != 0 || (length % geometry_.cluster() != 0 && offset + length != size))
      return fail(EINVAL, "{} bytes at {} are not whole clusters of {} bytes", length, offset,
                  geometry_.cluster());
    if (length != 0 && offset / kSegment != (offset + length - 1) / kSegment)
      return fail(EINVAL, "{} bytes at {} lie in more than one segment", length, offset);
    return {};
  }

  Result<> enter_segment(std::uint64_t offset, std::uint64_t length) {
    HF_CHECK(check_area(offset, length));
    if (length == 0) return {};
    HF_CHECK(pool_->keep({}));  // returns an earlier error
    const std::uint64_t segment = round_down(offset, kSegment);
    const MutexLock lock(mutex_);
    if (segment < finished_) return fail(EINVAL, "the segment at {} is already finished", segment);
    if (open_ && *open_ == segment) return {};
    if (open_ && *open_ >= finished_)
      return fail(EINVAL, "the segment at {} is not finished; offset {} is in a later one", *open_, offset);
    open_ = segment;
    return pool_->keep(store_.open(offset));
  }

  const WriterOptions options_;
  const Geometry geometry_;
  HostFile host_;
  ClusterStore store_;
  std::vector<std::unique_ptr<ClusterStore::Lane>> lanes_;

  Mutex mutex_;
  std::optional<std::uint64_t> open_ HF_GUARDED_BY(mutex_);  // the segment of the last data
  std::uint64_t finished_ HF_GUARDED_BY(mutex_) = 0;         // segments below this offset are finished

  std::unique_ptr<JobPool> pool_;  // last, because its threads use all members above
};

// A file whose content need not survive a crash: syncing does nothing.
class Fleeting final : public File {
 public:
  explicit Fleeting(File& file) : file_(file) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    return file_.read_at(offset, into);
  }
  Result<> write_at(std::uint64_t offset, ByteView bytes) override { return file_.write_at(offset, bytes); }
  Result<> truncate(std::uint64_t size) override { return file_.truncate(size); }
  Result<> punch(std::uint64_t offset, std::uint64_t length) override { return file_.punch(offset, length); }
  Result<> sync_data() override { return {}; }
  Result<std::uint64_t> size() const override { return file_.size(); }
  Result<std::uint64_t> allocated() const override { return file_.allocated(); }
  const std::string& name() const override { return file_.name(); }

 private:
  File& file_;
};

}  // namespace

Result<std::unique_ptr<Writer>> Writer::create(File& image, File& sums, const WriterOptions& options) {
  HF_TRY(const Geometry geometry, new_geometry(options.virtual_size, options.cluster_size));
  auto writer = std::make_unique<ImageWriter>(image, sums, options, geometry);
  HF_CHECK(writer->start());
  return writer;
}

Result<> write_empty_image(File& file, std::uint64_t virtual_size, std::uint32_t cluster_size) {
  HF_TRY(const Geometry geometry, new_geometry(virtual_size, cluster_size));
  Fleeting fleeting(file);
  HostFile host(fleeting, nullptr, geometry);
  const Header header = new_header(geometry, virtual_size);
  HF_CHECK(complete(host, header, Bytes(std::size_t{header.l1_entries} * 8)));
  return {};
}

}  // namespace holdfast::image
