// Leaving the terminal: the one that was started waits until the other one serves, or can't.
#pragma once

#include <string>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast {

// Tells whoever started us how it went: on standard output, or through the pipe to the process that waits.
class Announcer {
 public:
  Announcer() = default;
  // Forks. Returns in the child only; the parent waits for its word and exits with it. Called while there
  // is one thread.
  static Result<Announcer> in_background();

  // The child's standard input and output go nowhere, its standard error to the log.
  Result<> ready(const std::string& log_file);
  void failed(const std::string& sentence);

 private:
  void tell(char what, const std::string& sentence) const;

  Fd to_parent_;
};

}  // namespace holdfast
