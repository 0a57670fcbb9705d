#pragma once

#include <functional>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"

namespace holdfast {

// One digest, fed piece by piece. Not shared between threads.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(ByteView bytes);
  std::string hex();  // ends it

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(ByteView bytes);
// Digest of a whole file that nobody writes to. `watch` is called after each piece; its error ends the
// reading.
Result<std::string> sha256_hex(const File& file, const std::function<Result<>()>& watch = {});

}  // namespace holdfast
