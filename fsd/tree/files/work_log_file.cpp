#include "fsd/tree/files/work_log_file.h"

#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

constexpr int kLinesAtOnce = 256;

}  // namespace

Result<std::string> work_log_text(Engine& engine, const ObjectId& subject) {
  std::string text;
  for (Id after = 0;;) {
    HF_TRY(const auto lines, engine.status().log(subject.kind, subject.id, after, kLinesAtOnce));
    for (const LogLine& line : lines) text += views::log_line(line);
    if (lines.size() < kLinesAtOnce) return text;
    after = lines.back().id;
  }
}

Result<std::size_t> WorkLogFile::read(std::uint64_t offset, ByteSpan into) {
  HF_TRY(const std::string text, work_log_text(engine_, of_));
  return copy(text, offset, into);
}

}  // namespace holdfast::tree
