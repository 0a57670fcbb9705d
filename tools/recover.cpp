#include "tools/recover.h"

#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"
#include "catalog/model/json_text.h"
#include "engine/rescan/recover.h"
#include "tools/exit_status.h"

namespace holdfast {
namespace {

constexpr const char* kRecoverUsage =
    R"(Usage: holdfast recover REPOSITORY-DIR [--state DIR] [--plan] [--json] [--quiet]

Makes the catalog of a stopped daemon from a repository and nothing else: machines, points, flows, policies, owners and
all the rest come back under their names. Call it once for each repository; what several know is joined. The
repository keeps all that it has. When it is interrupted, call it again.

  --state DIR   state directory of the daemon (/var/lib/holdfast); made if it is missing
  --plan        show what it would do, and change nothing
  --json        print one JSON object
  --quiet       print complaints only

Example: holdfast recover /srv/backup --plan

Exit status: 0 on success, 1 on failure or if files could not be used, 2 for a wrong command line, 4 if there is no
such directory, 5 if it is refused (a daemon has the catalog or the repository), 130 when interrupted.
)";

volatile sig_atomic_t interrupted = 0;

void interrupt(int) { interrupted = 1; }

struct Wishes {
  rescan::RecoverOptions options{.repository = "", .state = "/var/lib/holdfast"};
  bool json = false, quiet = false;
};

void print_json(const rescan::Report& report, bool plan) {
  auto findings = nlohmann::ordered_json::array();
  for (const auto& finding : report.findings)
    findings.push_back({{"file", finding.file}, {"why", finding.why}});
  const nlohmann::ordered_json all{{"repository", report.repository},
                                   {"plan", plan},
                                   {"objects", report.objects},
                                   {"points", report.points},
                                   {"copies", report.copies},
                                   {"known", report.known},
                                   {"gone", report.gone},
                                   {"findings", std::move(findings)}};
  std::printf("%s\n", json::compact(all).c_str());
}

void print(const rescan::Report& report, const Wishes& wishes) {
  const bool plan = wishes.options.plan;
  if (!wishes.quiet) {
    for (const std::string& object : report.objects) std::printf("  + %s\n", object.c_str());
    std::printf("repository '%s': %zu objects, %d points and %d copies %s; %d points were known\n",
                report.repository.c_str(), report.objects.size(), report.points, report.copies,
                plan ? "would be added" : "are added", report.known);
  }
  for (const auto& finding : report.findings)
    std::fprintf(stderr, "holdfast: %s: %s\n", finding.file.c_str(), finding.why.c_str());
  if (wishes.quiet || plan) return;
  std::printf(
      "Start the daemon:  holdfastd --state %s MOUNTPOINT\n"
      "No flow starts by itself before you have confirmed that the earlier daemon runs none of them:\n"
      "  echo resume > MOUNTPOINT/control\n",
      wishes.options.state.c_str());
}

int status_of(const Error& error) {
  std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
  switch (error.code) {
    case ECANCELED: return kInterrupted;
    case ENOENT: return kNoSuchThing;
    case EBUSY:
    case EPERM:
    case EACCES:
    case EINVAL:
    case EROFS:
    case ENOSPC: return kRefused;
    default: return kNotGood;
  }
}

int run(const Wishes& wishes) {
  log::set_level(log::Level::error);
  struct sigaction action {};
  action.sa_handler = interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  const auto watch = []() -> Result<> {
    if (interrupted != 0) return fail(ECANCELED, "interrupted; call it again, and it goes on");
    return {};
  };
  const Caller caller{.uid = ::getuid(), .gid = ::getgid(), .pid = ::getpid()};
  const auto report = rescan::recover(wishes.options, caller, watch);
  if (!report) return status_of(report.error());
  if (wishes.json)
    print_json(*report, wishes.options.plan);
  else
    print(*report, wishes);
  return report->findings.empty() ? EXIT_SUCCESS : kNotGood;
}

}  // namespace

int recover(int count, char** words) {
  static const option known[] = {
      {"state", required_argument, nullptr, 's'}, {"plan", no_argument, nullptr, 'p'},
      {"json", no_argument, nullptr, 'j'},        {"quiet", no_argument, nullptr, 'q'},
      {"help", no_argument, nullptr, 'h'},        {nullptr, 0, nullptr, 0}};
  Wishes wishes;
  for (int found; (found = getopt_long(count, words, "h", known, nullptr)) != -1;) switch (found) {
      case 's': wishes.options.state = optarg; break;
      case 'p': wishes.options.plan = true; break;
      case 'j': wishes.json = true; break;
      case 'q': wishes.quiet = true; break;
      case 'h': std::fputs(kRecoverUsage, stdout); return EXIT_SUCCESS;
      default: std::fputs(kRecoverUsage, stderr); return kWrongCommandLine;
    }
  if (optind + 1 != count) {
    std::fputs(kRecoverUsage, stderr);
    return kWrongCommandLine;
  }
  wishes.options.repository = words[optind];
  if (const auto ready = be_ready_to_look_up(); !ready) return status_of(ready.error());
  return run(wishes);
}

}  // namespace holdfast
