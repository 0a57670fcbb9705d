// The memory that the daemon keeps for each user: open files and directories, drafts of definitions, scratch
// files, reads that wait. Each user's part is bounded, so nobody makes the daemon grow for all. Root is not
// counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"

namespace holdfast::tree {

// Outlives its shares. Any thread may call.
class Holdings {
 public:
  static constexpr std::size_t kMostBytes = 32 * kMiB;  // limit of a user
  static constexpr std::size_t kMostHandles = 8192;     // limit of a user
  static constexpr std::size_t kOfHandle = kKiB;        // size of any handle, about

  // A part of what a user holds, given back at its end. An empty one holds nothing. One thread at a time.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { swap(other); }
    Share& operator=(Share&& other) noexcept {
      swap(other);
      return *this;
    }
    ~Share();

    // Makes it a share of so many bytes. EDQUOT: the user would hold too much; the share stays as it is.
    Result<> resize(std::size_t bytes);

   private:
    friend Holdings;
    void swap(Share& other) noexcept;

    Holdings* holdings_ = nullptr;
    std::uint32_t uid_ = 0;
    std::size_t handles_ = 0, bytes_ = 0;
  };

  // Returns the share of one more handle of the user, which keeps so many bytes beside itself. EDQUOT.
  Result<Share> handle(std::uint32_t uid, std::size_t bytes = 0);
  // Returns a share of bytes that is no handle. EDQUOT.
  Result<Share> bytes(std::uint32_t uid, std::size_t bytes);

 private:
  struct Held {
    std::size_t handles = 0, bytes = 0;
  };

  Result<Share> share(std::uint32_t uid, std::size_t handles, std::size_t bytes);
  Result<> take(std::uint32_t uid, std::size_t handles, std::size_t bytes);
  void give_back(std::uint32_t uid, std::size_t handles, std::size_t bytes);

  Mutex mutex_;
  std::map<std::uint32_t, Held> held_ HF_GUARDED_BY(mutex_);  // by user
};

}  // namespace holdfast::tree
