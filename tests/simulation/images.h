// Reads the repositories without the engine: manifests, and stock qcow2 images with their backing files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

namespace holdfast::simulation {

// The content of an image, and the directories of the files that it rests on.
struct Walked {
  Bytes content;
  std::vector<std::string> directories;
};

// Reads an image whole. All that it rests on has clusters of the same size.
Result<Walked> walk_image(const std::string& path);

}  // namespace holdfast::simulation
