// holdfast: commands for people and scripts that need no mount.
//
//   holdfast migrate status|up|down|verify [--state DIR]    (migrate.h)
//   holdfast inspect IMAGE [--json]                         (inspect.h)
//   holdfast recover REPOSITORY-DIR [--state DIR] [--plan]  (recover.h)
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "catalog/base/version.h"
#include "tools/exit_status.h"
#include "tools/inspect.h"
#include "tools/migrate.h"
#include "tools/recover.h"

namespace holdfast {
namespace {

constexpr const char* kUsage = R"(Usage: holdfast CALL [ARGUMENT...]

  migrate status|up|down|verify   maintains the catalog of a stopped daemon
  inspect IMAGE                   prints facts about an image, and whether it can be imported
  recover REPOSITORY-DIR          makes the catalog of a stopped daemon from a repository

  -V, --version   print the version
  -h, --help      print this help; `holdfast CALL --help` explains a call

Example: holdfast inspect /srv/old/vm.qcow2

Backups, restores and everything else are files of the mount: see holdfast-fs(5).
Exit status: 0 on success, 1 on failure, 2 for a wrong command line.
)";

int run(int count, char** words) {
  const std::string_view call = count > 1 ? words[1] : "";
  if (call == "migrate") return migrate(count - 1, words + 1);
  if (call == "inspect") return inspect(count - 2, words + 2);
  if (call == "recover") return recover(count - 1, words + 1);
  if (call == "--version" || call == "-V") {
    std::printf("holdfast %.*s\n", static_cast<int>(kVersion.size()), kVersion.data());
    return EXIT_SUCCESS;
  }
  if (call == "--help" || call == "-h") {
    std::fputs(kUsage, stdout);
    return EXIT_SUCCESS;
  }
  if (count > 1) std::fprintf(stderr, "holdfast: there is no call '%s'\n\n", words[1]);
  std::fputs(kUsage, stderr);
  return kWrongCommandLine;
}

}  // namespace
}  // namespace holdfast

int main(int count, char** words) { return holdfast::run(count, words); }
