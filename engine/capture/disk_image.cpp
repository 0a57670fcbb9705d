#include "engine/capture/disk_image.h"

#include "engine/capture/content_filter.h"
#include "engine/capture/sample.h"
#include "engine/capture/transfer.h"

namespace holdfast::capture {
namespace {

std::unique_ptr<Before> before(const DiskImagePlan& plan) {
  if (plan.before != nullptr) return std::make_unique<SumsBefore>(*plan.before, plan.options.cluster_size);
  return std::make_unique<ImagesBefore>(plan.images_before);
}

}  // namespace

Result<DiskImage> write_disk_image(repository::Draft& draft, const DiskImagePlan& plan,
                                   source::DiskReader& reader, ProgressMeter& progress,
                                   const source::Cancel& cancel) {
  const image::WriterOptions& options = plan.options;
  const TransferPlan transfer_plan{.capacity = options.virtual_size,
                                   .cluster_size = options.cluster_size,
                                   .incremental = !options.backing_file.empty()};
  const std::string image_id = image::hex(options.id);
  HF_TRY(const auto files, draft.create_disk(plan.name, image_id));
  HF_TRY(const auto writer, image::Writer::create(*files.image, *files.sums, options));

  std::unique_ptr<File> content;
  std::optional<image::ContentWriter> sums;
  std::optional<ContentFilter> filter;
  if (plan.by_content) {
    const image::ContentShape shape{
        .cluster_size = options.cluster_size, .disk_size = options.virtual_size, .id = options.id};
    HF_TRY(content, draft.create_content(image_id));
    HF_TRY(sums, image::ContentWriter::create(*content, shape));
    filter.emplace(*writer, *sums, plan.before, shape);
  }
  std::optional<Sample> sample;
  if (plan.sample) sample.emplace(before(plan), options.cluster_size, options.virtual_size, *plan.sample);

  image::Writer& target = filter ? static_cast<image::Writer&>(*filter) : *writer;
  HF_TRY(const Transferred moved,
         transfer(reader, target, transfer_plan, sample ? &*sample : nullptr, progress, cancel));
  DiskImage written;
  written.bytes_read = moved.bytes_read;
  written.source_lied = moved.source_lied;
  if (moved.source_lied) return written;

  HF_TRY(written.image, target.finish());
  written.stored_bytes = written.image.stored_bytes;
  if (sums) {
    HF_TRY(written.content_sha256, sums->finish());
    HF_TRY(const std::uint64_t allocated, content->allocated());
    written.stored_bytes += allocated;
  }
  return written;
}

}  // namespace holdfast::capture
