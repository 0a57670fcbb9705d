#include "catalog/db/connection.h"

namespace holdfast::db {

Result<> Connection::enforce_references(bool on) {
  return execute_script(on ? "PRAGMA foreign_keys = ON" : "PRAGMA foreign_keys = OFF");
}

Result<std::vector<BrokenReference>> Connection::broken_references() {
  HF_TRY(Statement found, prepare("PRAGMA foreign_key_check"));
  std::vector<BrokenReference> broken;
  for (;;) {
    HF_TRY(const bool row, found.step());
    if (!row) return broken;
    broken.push_back(
        {found.text(0), found.is_null(1) ? std::nullopt : std::optional{found.integer(1)}, found.text(2)});
  }
}

Result<std::vector<std::string>> Connection::damage() {
  HF_TRY(Statement found, prepare("PRAGMA integrity_check"));
  std::vector<std::string> sentences;
  for (;;) {
    HF_TRY(const bool row, found.step());
    if (!row) return sentences;
    if (found.text(0) != "ok") sentences.push_back(found.text(0));
  }
}

}  // namespace holdfast::db
