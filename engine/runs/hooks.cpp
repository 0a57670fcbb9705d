#include "engine/runs/hooks.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <sstream>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"
#include "catalog/model/execution_json.h"
#include "catalog/model/json_text.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/settings_store.h"
#include "engine/common/rights.h"

namespace holdfast::runs {
namespace {

constexpr int kMostLines = 200;  // lines of one hook's output in the log
constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;

Result<> must_be_roots(const Fd& file, const std::string& path, mode_t kind, std::string_view kind_word) {
  struct stat facts {};
  if (fstat(file.get(), &facts) != 0) return fail_errno("looking at {}", path);
  if ((facts.st_mode & S_IFMT) != kind) return fail(EPERM, "{} is no {}", path, kind_word);
  if (facts.st_uid != 0) return fail(EPERM, "{} belongs to user {}; it must be root's", path, facts.st_uid);
  if ((facts.st_mode & kOthersMayWrite) != 0)
    return fail(EPERM,
                "others than root may write to {}: its mode is {:o}; only root may have the right to write",
                path, facts.st_mode & 07777);
  return {};
}

std::vector<std::string> environment_of(const Flow& flow, const Execution& execution,
                                        std::string_view phase) {
  const auto variable = [](std::string_view name, std::string_view value) {
    return fmt::format("HOLDFAST_{}={}", name, value);
  };
  return {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
          "LANG=C.UTF-8",
          variable("PHASE", phase),
          variable("FLOW", flow.name),
          variable("EXECUTION", execution.name),
          variable("TYPE", to_word(execution.type)),
          variable("BY", execution.by_name),
          variable("STATUS", to_word(execution.status)),
          variable("REASON", execution.reason ? to_word(*execution.reason) : ""),
          variable("MESSAGE", execution.message)};
}

JobEnd failed(const Error& error) {
  if (error.code == ECANCELED)
    return {.status = RunStatus::cancelled, .reason = EndReason::cancelled, .message = error.message};
  return {.status = RunStatus::error, .reason = EndReason::hook_failed, .message = error.message};
}

}  // namespace

Result<Fd> open_hook(const std::string& folder, const std::string& name) {
  HF_CHECK(look_up(folder));
  const Fd directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory) return fail_errno("opening {}, where hooks are", folder);
  HF_CHECK(must_be_roots(directory, folder, S_IFDIR, "directory"));
  const std::string path = folder + "/" + name;
  Fd file(openat(directory.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ELOOP)
    return fail(EINVAL, "hook {} is a symbolic link; it must be a plain file", path);
  if (!file) return fail_errno("opening the hook {}", path);
  HF_CHECK(must_be_roots(file, path, S_IFREG, "plain file"));
  return file;
}

std::optional<JobEnd> Hooks::before(const source::Cancel& cancel) {
  const auto execution =
      services_.catalog.read([&](db::Connection& db) { return Executions(db).get(execution_); });
  if (!execution) return failed(execution.error());
  if (const std::string& condition = flow_.definition.only_if; !condition.empty()) {
    const auto wrong = run(condition, "condition", *execution, cancel);
    if (!wrong) return failed(wrong.error());
    if (!wrong->empty())
      return JobEnd{.status = RunStatus::cancelled,
                    .reason = EndReason::condition_not_met,
                    .message = fmt::format("only_if failed: {}", *wrong)};
  }
  for (const std::string& hook : flow_.definition.hooks) {
    const auto wrong = run(hook, "before", *execution, cancel);
    if (!wrong) return failed(wrong.error());
    if (!wrong->empty()) return failed({EIO, *wrong});
    begun_.push_back(hook);
  }
  return std::nullopt;
}

std::string Hooks::after(const Execution& ending, const source::Cancel& cancel) {
  std::string wrong;
  std::ranges::reverse(begun_);
  for (const std::string& hook : begun_) {
    const auto one = run(hook, "after", ending, cancel);
    const std::string sentence = one ? *one : one.error().message;
    if (!sentence.empty()) wrong += (wrong.empty() ? "" : "; ") + sentence;
  }
  return wrong;
}

Result<std::string> Hooks::run(const std::string& name, std::string_view phase, const Execution& execution,
                               const source::Cancel& cancel) {
  const auto end = [&]() -> Result<std::string> {
    HF_TRY(const Fd program, open_hook(services_.hooks, name));
    SettingsDefinition settings;
    std::vector<Named> jobs;
    HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
      HF_TRY(const Settings found, SettingsStore(db).get());
      settings = found.definition;
      HF_TRY(jobs, Jobs(db).of_execution(execution_));
      return {};
    }));
    const Command command{.program = program,
                          .name = name,
                          .environment = environment_of(flow_, execution, phase),
                          .input = json::compact(execution_json(execution, flow_.name, jobs)) + "\n",
                          .user = as_caller(flow_.ownership),
                          .timeout = settings.hook_timeout};
    HF_TRY(const CommandEnd ended, run_command(command, cancel));
    tell_output(name, ended);
    const std::string sentence =
        fmt::format("hook '{}' ({}) {}", name, phase, ended.sentence(command.timeout));
    HF_CHECK(tell(sentence));
    if (ended.timed_out) return fail(ETIMEDOUT, "{}", sentence);
    return ended.succeeded() ? std::string{} : sentence;
  }();
  if (end) return end;
  const Error error{end.error().code,
                    end.error().code == ETIMEDOUT
                        ? end.error().message
                        : fmt::format("hook '{}' ({}): {}", name, phase, end.error().message)};
  if (end.error().code != ETIMEDOUT) HF_CHECK(tell(error.message));
  return tl::make_unexpected(error);
}

// Logs the lines of the output, with a question mark for each control character.
void Hooks::tell_output(const std::string& name, const CommandEnd& end) {
  std::istringstream output(end.output);
  std::uint64_t cut = end.cut;
  int lines = 0;
  for (std::string line; std::getline(output, line);) {
    if (++lines > kMostLines) {
      cut += line.size() + 1;
      continue;
    }
    std::ranges::replace_if(
        line, [](unsigned char c) { return c < ' ' && c != '\t'; }, '?');
    (void)tell(fmt::format("{}: {}", name, line));
  }
  if (cut > 0) (void)tell(fmt::format("{}: … {} bytes more, which are not kept", name, cut));
}

Result<> Hooks::tell(const std::string& text) {
  const auto told = services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Execution execution, Executions(db).get(execution_));
    return Logs(db).add(execution, services_.clock.now(), text);
  });
  if (!told) log::warning("{}", told.error().message);
  return told;
}

}  // namespace holdfast::runs
