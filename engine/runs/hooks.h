// What a flow has done around its jobs: `only_if`, and its hooks before and after them.
//
// Law 19: they are files of root's in a folder of root's, looked at anew each time and executed by the very
// descriptor that was looked at; set in a flow by root alone, and run as the flow's owner. Each gets the
// execution as JSON on its standard input and in variables (HOLDFAST_PHASE: condition, before, after), has a
// time in which it has to end, and what it says, in measure, is in the execution's log.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/model/entities.h"
#include "engine/capture/services.h"
#include "engine/runs/accounts.h"
#include "engine/runs/command.h"

namespace holdfast::runs {

// ENOENT: there is none. EPERM: the folder or the file is not root's alone to change.
Result<Fd> open_hook(const std::string& folder, const std::string& name);

// Of one execution. One thread at a time; the services outlive it.
class Hooks {
 public:
  Hooks(const capture::Services& services, Flow flow, Id execution)
      : services_(services), flow_(std::move(flow)), execution_(execution) {}

  // An end: it may not begin. `only_if` says so by failing (cancelled, condition_not_met); a hook too, and
  // that is an error (hook_failed).
  std::optional<JobEnd> before(const source::Cancel& cancel);
  // Of all hooks that were there before, the last one first: what went wrong, "" when nothing did.
  std::string after(const Execution& ending, const source::Cancel& cancel);

 private:
  // What went wrong; "" when it succeeded. An error: it could not be run, or not to its end.
  Result<std::string> run(const std::string& name, std::string_view phase, const Execution& execution,
                          const source::Cancel& cancel);
  Result<> tell(const std::string& text);
  void tell_output(const std::string& name, const CommandEnd& end);

  const capture::Services& services_;
  const Flow flow_;
  const Id execution_;
  std::vector<std::string> begun_;  // hooks that succeeded before
};

}  // namespace holdfast::runs
