// Verbs of executions and jobs.
#include "fsd/verbs/verb.h"

namespace holdfast::verbs {
namespace {

Result<> cancel_execution(Engine& engine, Id execution, const Values&, const Caller& caller) {
  return engine.requests().cancel_execution(execution, caller);
}

Result<> cancel_job(Engine& engine, Id job, const Values&, const Caller& caller) {
  return engine.requests().cancel_job(job, caller);
}

constexpr Verb kExecution[] = {{"cancel", {}, "cancel the execution and all its jobs", cancel_execution}};
constexpr Verb kJob[] = {{"cancel", {}, "cancel the job", cancel_job}};

}  // namespace

std::span<const Verb> of_execution() { return kExecution; }
std::span<const Verb> of_job() { return kJob; }

}  // namespace holdfast::verbs
