// Moves one frozen disk into one image, reading only what must be read.
#pragma once

#include <cstdint>

#include "engine/capture/sample.h"
#include "engine/common/progress.h"
#include "engine/image/writer.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct TransferPlan {
  std::uint64_t capacity = 0;
  std::uint32_t cluster_size = 0;
  bool incremental = false;
};

struct Transferred {
  std::uint64_t bytes_read = 0;
  bool source_lied = false;  // the transfer stopped midway; discard what was written
};

// Makes the progress expect the bytes that transfer() will read, without those that check the source. Reads
// no data.
Result<> expect_bytes(source::DiskReader& reader, const TransferPlan& plan, ProgressMeter& progress,
                      const source::Cancel& cancel);

// Moves whole clusters: one changed byte takes the whole cluster. An increment gets explicit zeros where a
// changed area reads as zeros (law 6). `sample` checks what is called unchanged; may be null. The caller
// finishes the writer.
Result<Transferred> transfer(source::DiskReader& reader, image::Writer& writer, const TransferPlan& plan,
                             Sample* sample, ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::capture
