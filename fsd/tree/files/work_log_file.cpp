#include "fsd/tree/files/work_log_file.h"

#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

constexpr int kLinesAtOnce = 256;

}  // namespace

Result<WorkLog> work_log_of(Engine& engine, const ObjectId& subject, const Asker& reader) {
  WorkLog log;
  for (Id after = 0;;) {
    HF_TRY(const auto lines, engine.status().log(subject.kind, subject.id, after, kLinesAtOnce, reader));
    for (const LogLine& line : lines.seen) log.text += views::log_line(line);
    if (!lines.seen.empty()) log.last_line_at = lines.seen.back().at;
    if (lines.last == 0) return log;
    after = lines.last;
  }
}

Result<std::size_t> WorkLogFile::read(std::uint64_t offset, ByteSpan into) {
  HF_TRY(const WorkLog log, work_log_of(engine_, of_, reader_));
  return copy(log.text, offset, into);
}

}  // namespace holdfast::tree
