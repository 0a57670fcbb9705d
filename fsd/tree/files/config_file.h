#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "catalog/base/mutex.h"
#include "fsd/tree/config_draft.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// A handle on a config.json that is open for writing: a draft, committed in the write that makes it whole, or
// at flush and fsync.
class ConfigFile final : public OpenFile {
 public:
  // Accepts or refuses the whole text, and records the outcome in `error`.
  using Commit = std::function<Result<>(std::string_view text)>;
  // Called if the text never reached `Commit`: it became too long, or was discarded at the end. A refusal
  // that was reported before is not reported again.
  using Refused = std::function<void(const Error& why)>;

  ConfigFile(std::shared_ptr<const std::string> base, std::int32_t opener, Commit commit, Refused refused)
      : base_size_(base->size()),
        draft_(*base),
        opener_(opener),
        commit_(std::move(commit)),
        refuse_(std::move(refused)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;
  Result<> write(std::uint64_t offset, std::string_view bytes, bool append) override;
  Result<> truncate(std::uint64_t size) override;
  Result<> flush(std::int32_t process) override;
  void released() override;
  std::size_t kept() const override { return base_size_; }

 private:
  Result<> judge() HF_REQUIRES(mutex_);

  const std::size_t base_size_;
  Mutex mutex_;
  ConfigDraft draft_ HF_GUARDED_BY(mutex_);
  std::optional<Error> cut_off_ HF_GUARDED_BY(mutex_);  // refusal after which the text is only a part
  bool refused_ HF_GUARDED_BY(mutex_) = false;          // whether the last text that was judged was refused
  const std::int32_t opener_;
  const Commit commit_;
  const Refused refuse_;
};

}  // namespace holdfast::tree
