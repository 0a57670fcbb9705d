// A layer's files, as a capture leaves them in a repository.
#pragma once

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "engine/image/writer.h"
#include "tests/lib/memory_file.h"
#include "tests/lib/must.h"

namespace holdfast::test {

// Writes the clusters of `disk` that `stored` marks: DISK.qcow2 and its sums, into a point's directory.
// Returns the size of the image.
inline std::uint64_t write_layer(const std::string& directory, const std::string& name,
                                 const image::WriterOptions& options, std::string_view disk,
                                 const std::vector<bool>& stored) {
  MemoryFile image("image"), sums("sums");
  const auto writer = must(image::Writer::create(image, sums, options));
  for (std::size_t i = 0; i < stored.size(); ++i)
    if (stored[i])
      must(writer->write(i * options.cluster_size,
                         as_bytes(disk.substr(i * options.cluster_size, options.cluster_size))));
  must(writer->finish_segment(0));
  const std::uint64_t size = must(writer->finish()).file_bytes;
  const auto save = [&](const std::string& file, const MemoryFile& content) {
    const Bytes bytes = content.bytes();
    std::ofstream(directory + "/" + file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  };
  save(name + ".qcow2", image);
  save(image::hex(options.id) + ".sums", sums);
  return size;
}

}  // namespace holdfast::test
