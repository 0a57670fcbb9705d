// Stands in for three things of the host. For two of them the linker gives their callers these functions
// (--wrap in program.cmake).
//
// The engine asks for the driver of "qmp" and gets the model. Paths are looked at by a child process in the
// daemon, which no seed could order; here the calling thread looks, and waits while the file system hangs.
#include <curl/curl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "catalog/base/host_path.h"
#include "engine/sources/drivers.h"
#include "tests/simulation/kernel.h"
#include "tests/simulation/source.h"
#include "tests/simulation/storage.h"
#include "tests/simulation/threads.h"

namespace holdfast {

Result<source::Driver*> the_model(std::string_view) __asm__(
    "__wrap__ZN8holdfast6source10driver_forESt17basic_string_viewIcSt11char_traitsIcEE");
Result<source::Driver*> the_model(std::string_view) { return &simulation::model_driver(); }

using Patience = std::optional<std::chrono::milliseconds>;

Result<HostPath> look_at(const std::string& path, Patience patience) __asm__(
    "__wrap__ZN8holdfast7look_upERKNSt7__cxx1112basic_stringIcSt11char_"
    "traitsIcESaIcEEESt8optionalINSt6chrono8durationIlSt5"
    "ratioILl1ELl1000EEEEE");
Result<HostPath> look_at(const std::string& path, Patience patience) {
  HF_CHECK(simulation::storage::await_answer(path, patience));
  const auto identity_of = [](const std::string& name) -> std::optional<HostPath::Identity> {
    struct stat it {};
    if (simulation::kernel(SYS_stat, name.c_str(), &it) != 0) return std::nullopt;
    return HostPath::Identity{it.st_dev, it.st_ino};
  };
  HostPath found{.real = path};
  for (std::size_t slash = 0; slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const auto above = identity_of(slash == 0 ? "/" : path.substr(0, slash));
    above ? found.above.push_back(*above) : static_cast<void>(++found.absent);
  }
  found.own = identity_of(path);
  if (!found.own) ++found.absent;
  return found;
}

std::vector<Result<HostPath>>
look_at_all(std::span<const std::string> paths, Patience patience, Look) __asm__(
    "__wrap__ZN8holdfast7look_upESt4spanIKNSt7__cxx1112basic_stringIcSt11char_"
    "traitsIcESaIcEEELm18446744073709551615EESt8"
    "optionalINSt6chrono8durationIlSt5ratioILl1ELl1000EEEEENS_4LookE");
std::vector<Result<HostPath>> look_at_all(std::span<const std::string> paths, Patience patience, Look) {
  std::vector<Result<HostPath>> found;
  for (const std::string& path : paths) found.push_back(look_at(path, patience));
  return found;
}

}  // namespace holdfast

// The thread that posts notices sleeps in libcurl, whose sleep the simulation can't see.
namespace {
bool was_woken = false;
}

extern "C" {

CURLMcode curl_multi_poll(CURLM* multi, curl_waitfd*, unsigned, int milliseconds, int*) {
  namespace threads = holdfast::simulation::threads;
  if (!was_woken) threads::wait(multi, threads::now() + milliseconds * std::int64_t{1'000'000});
  was_woken = false;
  return CURLM_OK;
}

CURLMcode curl_multi_wakeup(CURLM* multi) {
  was_woken = true;
  holdfast::simulation::threads::wake(multi);
  return CURLM_OK;
}

}  // extern "C"
