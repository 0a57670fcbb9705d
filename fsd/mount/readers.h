// The threads that read images: apart from those that serve the tree, so that a slow repository never
// keeps `ls` or a command waiting (contract, "Images").
//
// Threads: the image readers, owned here, each with its own aligned buffer for one read.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "catalog/base/bytes.h"

namespace holdfast::mount {

class Readers {
 public:
  static constexpr std::size_t kLargestRead = kMiB;

  explicit Readers(unsigned threads);
  ~Readers();  // after all that was posted is done

  using Task = std::function<void(ByteSpan buffer)>;
  void post(Task task);

 private:
  void work();

  std::mutex mutex_;  // guards what follows
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::mount
