#include "engine/foreign/reader/confinement.h"

#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>

#include "catalog/base/bytes.h"
#include "engine/foreign/protocol.h"

namespace holdfast::foreign {
namespace {

// libqcow holds an L1 table of at most 32 MiB (the parent accepts no longer one) twice, and few clusters.
constexpr rlim_t kMemory = 256 * kMiB;
// Ends an endless loop if the parent fails to; normally the parent's deadline is met first. Decompressing a
// mebibyte takes some hundredths of a second.
constexpr rlim_t kLeastSeconds = 60;

constexpr uid_t kNobody = 65534;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Result<> drop_privileges() {
  if (::geteuid() != 0) return {};
  if (::setgroups(0, nullptr) != 0 || ::setresgid(kNobody, kNobody, kNobody) != 0 ||
      ::setresuid(kNobody, kNobody, kNobody) != 0)
    return fail_errno("becoming nobody");
  return {};
}

Result<> limit(__rlimit_resource resource, rlim_t most) {
  const rlimit both{most, most};
  if (::setrlimit(resource, &both) != 0)
    return fail_errno("limiting resource {}", static_cast<int>(resource));
  return {};
}

Result<> limit_resources() {
  struct stat image {};
  if (::fstat(protocol::kImage, &image) != 0) return fail_errno("looking at the image");
  HF_CHECK(limit(RLIMIT_CPU, kLeastSeconds + static_cast<rlim_t>(image.st_size) / kMiB));
  HF_CHECK(limit(RLIMIT_CORE, 0));
  HF_CHECK(limit(RLIMIT_FSIZE, 0));
  HF_CHECK(limit(RLIMIT_NOFILE, 0));
  HF_CHECK(limit(RLIMIT_NPROC, 0));
  // A sanitizer's shadow memory takes terabytes of addresses, so the limit is left out.
  return kSanitized ? Result<>() : limit(RLIMIT_AS, kMemory);
}

// Call after drop_privileges(), because changing the user clears the first two flags.
Result<> set_process_flags() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return fail_errno("asking to die with the parent");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return fail_errno("becoming undumpable");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("giving up new privileges");
  return {};
}

class Filter {
 public:
  Filter() : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release) {}

  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    if (!failed_ && context_)
      failed_ =
          ::seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions), conditions...);
  }
  Result<> load() {
    if (!context_) return fail(ENOMEM, "making a filter of system calls");
    if (failed_ == 0) failed_ = ::seccomp_load(context_.get());
    if (failed_ != 0) return fail(-failed_, "setting the filter of system calls");
    return {};
  }

 private:
  std::unique_ptr<void, decltype(&::seccomp_release)> context_;
  int failed_ = 0;
};

scmp_arg_cmp equals(unsigned argument, scmp_datum_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
scmp_arg_cmp without(unsigned argument, scmp_datum_t flag) { return {argument, SCMP_CMP_MASKED_EQ, flag, 0}; }

Result<> filter_calls() {
  Filter filter;
  filter.allow(SCMP_SYS(pread64), equals(0, protocol::kImage));
  filter.allow(SCMP_SYS(read), equals(0, protocol::kSocket));
  filter.allow(SCMP_SYS(write), equals(0, protocol::kSocket));
  filter.allow(SCMP_SYS(exit_group));
  filter.allow(SCMP_SYS(brk));
  filter.allow(SCMP_SYS(mmap), without(2, PROT_EXEC));
  filter.allow(SCMP_SYS(mremap));
  filter.allow(SCMP_SYS(munmap));
  if (kSanitized)  // calls that the sanitizer's allocator makes; reporting a fault needs more, and so ends
                   // the process
    for (const int call :
         {SCMP_SYS(madvise), SCMP_SYS(mprotect), SCMP_SYS(futex), SCMP_SYS(sched_yield),
          SCMP_SYS(sigaltstack), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigprocmask)})
      filter.allow(call);
  return filter.load();
}

}  // namespace

Result<> confine() {
  if (::close_range(protocol::kSocket + 1, ~0U, 0) != 0) return fail_errno("closing all other files");
  HF_CHECK(drop_privileges());
  HF_CHECK(limit_resources());
  HF_CHECK(set_process_flags());
  return filter_calls();
}

}  // namespace holdfast::foreign
