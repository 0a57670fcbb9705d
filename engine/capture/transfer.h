// Moves one frozen disk into one image: what must be read is read, the rest costs nothing.
#pragma once

#include <cstdint>

#include "engine/capture/progress.h"
#include "engine/capture/sample.h"
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
  bool source_lied = false;  // then it was ended in the middle, and what was written is worth nothing
};

// The bytes that transfer() will read, for the progress of a run, what a sample reads not counted. Reads
// nothing.
Result<std::uint64_t> bytes_to_read(source::DiskReader& reader, const TransferPlan& plan);

// Whole clusters only: where one byte of a cluster has changed, all of it is taken. An increment gets
// explicit zeros where a changed area reads as zeros (law 6). The writer is left unfinished. `sample`, when
// there is one, looks at what is called unchanged.
Result<Transferred> transfer(source::DiskReader& reader, image::Writer& writer, const TransferPlan& plan,
                             Sample* sample, ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::capture
