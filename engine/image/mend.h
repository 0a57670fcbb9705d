// Gives a damaged image back the very bytes that were written.
//
// Each host cluster of the new file matches its recorded sum before it is written, wherever it comes from. So
// the new file is the old one as it was: same id, same sums, and nothing that refers to it changes.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/image/host_ranges.h"
#include "engine/image/layer_files.h"
#include "engine/image/sums.h"

namespace holdfast::image {

struct Mending {
  std::uint64_t healed = 0;     // bytes
  std::vector<HostRange> lost;  // whole clusters that no candidate had; they are copied as they are
};

// Writes to `to`, which is new and empty. The candidates for each cluster are the files in their order; the
// first is the damaged image itself, and null where it is missing. A file that can't be read, or is too
// short, is no candidate there. Clusters in `hidden` may also be zeros.
using Candidates = std::span<const std::unique_ptr<File>>;
Result<Mending> mend_image(const File& sums, Candidates candidates, std::span<const HostRange> hidden,
                           File& to, const Watch& watch = {});

// Computes the checksums file of an image anew, from the image alone. `to` is new and empty. Returns the
// file's SHA-256, which tells whether it is the one that was written.
Result<std::string> sum_up(const File& image, File& to, const Watch& watch = {});

}  // namespace holdfast::image
