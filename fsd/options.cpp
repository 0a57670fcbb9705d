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

Serves Holdfast at MOUNTPOINT, an existing directory. Says "ready" once the mount answers, on standard output and
to systemd; without --foreground it then goes on in the background, its log in DIR/holdfastd.log.
SIGTERM and SIGINT end it: what runs is stopped at a safe place, then it unmounts. Who waits is told ESHUTDOWN, who
asks for work EBUSY, who has files open then ENOTCONN. `echo drain > MOUNTPOINT/control` first lets all that end.

  --config FILE   JSON: {"hooks": DIR} is where the commands of flows are (/etc/holdfast/hooks)
  --state DIR     the catalog, scratch space and sockets (/var/lib/holdfast)
  -f, --foreground  stay; the log goes to standard error
  -d, --debug       log more
  -V, --version     say which version this is
  -h, --help        say this

Exit status: 0 after a proper end (in the background: once it is ready), 1 when it can't serve, 2 when the
command line is wrong.
)";
}

}  // namespace holdfast
