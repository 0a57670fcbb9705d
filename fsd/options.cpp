#include "fsd/options.h"

#include <getopt.h>

namespace holdfast {

Result<Options> parse_options(int count, char** words) {
  static const option known[] = {
      {"config", required_argument, nullptr, 'c'},
      {"state", required_argument, nullptr, 's'},
      {"foreground", no_argument, nullptr, 'f'},
      {"debug", no_argument, nullptr, 'd'},
      {"version", no_argument, nullptr, 'V'},
      {"help", no_argument, nullptr, 'h'},
      {nullptr, 0, nullptr, 0},
  };
  Options options;
  opterr = 0;
  optind = 0;  // makes glibc begin anew
  for (int found; (found = getopt_long(count, words, ":fdhV", known, nullptr)) != -1;) {
    switch (found) {
      case 'c': options.config = optarg; break;
      case 's': options.state = optarg; break;
      case 'f': options.foreground = true; break;
      case 'd': options.debug = true; break;
      case 'V': options.task = Options::Task::show_version; return options;
      case 'h': options.task = Options::Task::show_help; return options;
      case ':': return fail(EINVAL, "{} wants a value", words[optind - 1]);
      default: return fail(EINVAL, "there is no option {}", words[optind - 1]);
    }
  }
  if (optind >= count) return fail(EINVAL, "no mount point is named");
  if (optind + 1 < count) return fail(EINVAL, "one mount point, not {}", count - optind);
  options.mount_point = words[optind];
  if (options.state.empty()) return fail(EINVAL, "--state names no directory");
  return options;
}

std::string usage() {
  return R"(Usage: holdfastd [--config FILE] [--state DIR] [--foreground] [--debug] MOUNTPOINT

Serves Holdfast at MOUNTPOINT, an existing directory. Prints "ready" and notifies systemd once the mount answers.
Without --foreground the daemon then goes on in the background; its log is DIR/holdfastd.log.
SIGTERM and SIGINT end the daemon: running work stops at a safe place, then the mount goes. Waiting readers get
ESHUTDOWN, new work gets EBUSY, files that are still open get ENOTCONN. To let all work end first, write `drain` to
MOUNTPOINT/control.

  --config FILE   JSON: {"hooks": DIR} names the directory of the flows' commands (/etc/holdfast/hooks)
  --state DIR     the catalog, scratch space and sockets (/var/lib/holdfast)
  -f, --foreground  stay in the foreground; the log goes to standard error
  -d, --debug       log more
  -V, --version     print the version
  -h, --help        print this help

Exit status: 0 after a proper end (in the background: once the daemon is ready), 1 if it can't serve, 2 if the command
line is wrong.
)";
}

}  // namespace holdfast
