// Runs a flow's own commands: `only_if`, and its hooks before and after the jobs.
//
// Law 19: commands are root's files in a folder of root's. They are checked at each run, and executed through
// the descriptor that was checked. Only root may set them in a flow; they run as the flow's owner. Each gets
// the execution as JSON on standard input and in variables (HOLDFAST_PHASE: condition, before, after), and
// has a time limit. The first lines of its output are kept in the execution's log.
// time in which it has to end, and what it says, in measure, is in the execution's log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/model/entities.h"
#include "engine/common/services.h"
#include "engine/runs/accounts.h"
#include "engine/runs/command.h"

namespace holdfast::runs {

// Returns ENOENT if there is no such hook, EPERM if others than root may change the folder or the file.
Result<Fd> open_hook(const std::string& folder, const std::string& name);

// Hooks of one execution. Used by one thread at a time; `services` must outlive the object.
class Hooks {
 public:
  Hooks(const capture::Services& services, Flow flow, Id execution)
      : services_(services), flow_(std::move(flow)), execution_(execution) {}

  // Returns an end if the jobs must not begin: cancelled (condition_not_met) after `only_if` failed, an error
  // (hook_failed) after a hook failed.
  std::optional<JobEnd> before(const source::Cancel& cancel);
  // Runs the hooks that succeeded before, the last one first. Returns what went wrong; "" if nothing did.
  std::string after(const Execution& ending, const source::Cancel& cancel);

 private:
  // Returns what went wrong; "" after success. An error: the hook could not be started or did not end in
  // time.
  Result<std::string> run(const std::string& name, std::string_view phase, const Execution& execution,
                          const source::Cancel& cancel);
  Result<> tell(const std::string& text);
  void tell_output(const std::string& name, const CommandEnd& end);

  const capture::Services& services_;
  const Flow flow_;
  const Id execution_;
  std::vector<std::string> begun_;  // hooks that succeeded in before()
};

}  // namespace holdfast::runs
