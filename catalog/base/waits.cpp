#include "catalog/base/waits.h"

#ifdef HOLDFAST_CHECK_WAITS

#include <execinfo.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace holdfast {
namespace {

constexpr int kDeepest = 64;

struct Stack {
  void* frames[kDeepest];
  int depth = 0;

  void take() { depth = ::backtrace(frames, kDeepest); }
  void print(const char* title) const {
    std::fprintf(stderr, "%s\n", title);
    ::backtrace_symbols_fd(frames, depth, STDERR_FILENO);
  }
};

thread_local int forbidden = 0;
thread_local Stack forbidden_at;

}  // namespace

NoWaits::NoWaits() {
  if (forbidden++ == 0) forbidden_at.take();
}

NoWaits::~NoWaits() { --forbidden; }

void may_wait(std::string_view what) {
  if (forbidden == 0) return;
  std::fprintf(stderr, "a thread that holds the catalog's writer waits for %.*s\n",
               static_cast<int>(what.size()), what.data());
  Stack here;
  here.take();
  here.print("It waits here:");
  forbidden_at.print("It took the writer here:");
  std::abort();
}

}  // namespace holdfast

#endif
