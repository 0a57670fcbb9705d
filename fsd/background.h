// Going into the background: the started process waits until its child serves, or fails.
#pragma once

#include <string>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast {

// Reports how the start went: on standard output, or through a pipe to the waiting parent.
class Announcer {
 public:
  Announcer() = default;
  // Forks and returns in the child only. The parent waits for the child's word and exits with it. Call while
  // the process has one thread.
  static Result<Announcer> in_background();

  // Reports success. In the background, standard input and output then go to /dev/null, standard error to the
  // log.
  Result<> ready(const std::string& log_file);
  void failed(const std::string& sentence);

 private:
  void tell(char what, const std::string& sentence) const;

  Fd to_parent_;
};

}  // namespace holdfast
