#include "fsd/tree/files/config_file.h"

#include <algorithm>

namespace holdfast::tree {

Result<std::size_t> ConfigFile::read(std::uint64_t offset, ByteSpan into) {
  const MutexLock lock(mutex_);
  return copy(draft_.text(), offset, into);
}

Result<> ConfigFile::write(std::uint64_t offset, std::string_view bytes, bool append) {
  const MutexLock lock(mutex_);
  const std::uint64_t from =
      append ? draft_.text().size() : std::min<std::uint64_t>(offset, ConfigDraft::kLargest);
  auto done = keep(draft_.memory_after(from + bytes.size()));
  if (!done) cut_off_ = done.error();
  if (done) done = draft_.write(offset, bytes, append);
  if (!done) refuse_(done.error());
  if (!done || draft_.at_write() != ConfigDraft::Step::commit) return done;
  done = judge();
  if (!done) draft_.refused();
  return done;
}

Result<> ConfigFile::judge() {
  auto done = commit_(draft_.text());
  refused_ = !done;
  if (done) draft_.committed();
  return done;
}

Result<> ConfigFile::truncate(std::uint64_t size) {
  const MutexLock lock(mutex_);
  auto done = keep(draft_.memory_after(size));
  if (done) done = draft_.truncate(size);
  if (done) cut_off_.reset();
  if (!done) refuse_(done.error());
  return done;
}

Result<> ConfigFile::flush(std::int32_t process) {
  const MutexLock lock(mutex_);
  refused_ = false;
  if (draft_.pending() && draft_.too_long()) {
    refused_ = true;
    return ConfigDraft::fail_too_long();
  }
  if (draft_.pending() && cut_off_) {
    refused_ = true;
    return tl::make_unexpected(*cut_off_);
  }
  if (draft_.at_flush(process == opener_) != ConfigDraft::Step::commit) return {};
  return judge();
}

void ConfigFile::released() {
  const MutexLock lock(mutex_);
  if (draft_.pending() && !refused_)
    refuse_({EINVAL, "the text written is no whole JSON document; it was discarded"});
}

}  // namespace holdfast::tree
