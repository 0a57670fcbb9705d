// holdfastd: starts the engine, builds the tree on it, and mounts the tree.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"
#include "catalog/base/version.h"
#include "fsd/background.h"
#include "fsd/host_config.h"
#include "fsd/last_resort.h"
#include "fsd/mount/mount_point.h"
#include "fsd/mount/session.h"
#include "fsd/options.h"

namespace holdfast {
namespace {

// Blocks the signals and returns a descriptor that reads them. Call before any thread starts, because threads
// inherit the mask.
Result<Fd> take_signals() {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGTERM);
  sigaddset(&wanted, SIGINT);
  sigaddset(&wanted, SIGHUP);
  if (pthread_sigmask(SIG_BLOCK, &wanted, nullptr) != 0) return fail(EIO, "blocking signals");
  signal(SIGPIPE, SIG_IGN);
  Fd signals(signalfd(-1, &wanted, SFD_CLOEXEC));
  if (!signals) return fail_errno("making a signalfd");
  return signals;
}

// Makes the directory if it is missing and returns its absolute path. Only its owner may enter, because
// sockets are in it.
Result<std::string> state_directory(const std::string& given) {
  std::error_code problem;
  const std::filesystem::path path = std::filesystem::absolute(given, problem);
  if (!problem && std::filesystem::create_directories(path, problem) && !problem)
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, problem);
  if (problem) return fail(problem.value(), "the state directory {}: {}", given, problem.message());
  return path.string();
}

void wait_for_the_end(const Fd& signals, const mount::Session& session) {
  pollfd ends[] = {{signals.get(), POLLIN, 0}, {session.ended_fd(), POLLIN, 0}};
  while (poll(ends, std::size(ends), -1) < 0 && errno == EINTR) continue;
  if (ends[1].revents != 0) log::warning("somebody has unmounted the mount; ending");
}

Result<> serve(const Options& options, Announcer& announcer) {
  HF_TRY(const std::string mount_point, mount::prepare_mount_point(options.mount_point));
  HF_TRY(const Fd signals, take_signals());
  HF_TRY(const std::string state, state_directory(options.state));
  HF_TRY(const HostConfig host, read_host_config(options.config));

  LastResort last_resort(mount_point);  // made first, because it guards the end of all others
  mount::Waiters waiters;
  HF_TRY(const auto engine,
         Engine::start({.state = state, .clock = nullptr, .observer = &waiters, .hooks = host.hooks}));
  tree::Tree tree(*engine, system_clock());
  const auto generation = static_cast<std::uint64_t>(system_clock().now().time_since_epoch().count());
  HF_TRY(const auto session, mount::Session::start(mount_point, tree, waiters, generation));
  HF_CHECK(announcer.ready(state + "/holdfastd.log"));
  sd_notify(0, "READY=1");

  wait_for_the_end(signals, *session);
  sd_notify(0, "STOPPING=1");
  waiters.close();
  last_resort.arm([&engine = *engine] { return engine.is_kept_by_a_repository(); });
  engine->stop();
  session->stop();
  last_resort.ask_no_more();
  if (engine->repository_hangs()) last_resort.end();  // nobody can close its files
  return {};
}

int start(const Options& options) {
  Announcer announcer;
  if (!options.foreground) {
    auto background = Announcer::in_background();
    if (!background) {
      announcer.failed(background.error().message);
      return EXIT_FAILURE;
    }
    announcer = std::move(*background);
  }
  if (options.debug) log::set_level(log::Level::debug);
  if (const auto served = serve(options, announcer); !served) {
    announcer.failed(served.error().message);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace holdfast

int main(int count, char** words) {
  using namespace holdfast;
  constexpr int kWrongCommandLine = 2;
  const auto options = parse_options(count, words);
  if (!options) {
    std::fprintf(stderr, "holdfastd: %s\n%s", options.error().message.c_str(), usage().c_str());
    return kWrongCommandLine;
  }
  switch (options->task) {
    case Options::Task::show_help: std::fputs(usage().c_str(), stdout); return EXIT_SUCCESS;
    case Options::Task::show_version:
      std::printf("holdfastd %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
      return EXIT_SUCCESS;
    case Options::Task::serve: break;
  }
  if (const auto ready = be_ready_to_look_up(); !ready) {
    std::fprintf(stderr, "holdfastd: %s\n", ready.error().message.c_str());
    return EXIT_FAILURE;
  }
  return start(*options);
}
