#include "fsd/mount/session.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "catalog/base/log.h"
#include "fsd/mount/buffer.h"
#include "fsd/mount/mount_point.h"

namespace holdfast::mount {
namespace {

// Each request wakes a sleeping thread, so more threads make small reads slower. Two threads at least never
// read images, so that the tree always answers; one alone would answer half as fast.
constexpr unsigned kTreeThreads = 6;
constexpr unsigned kMayReadImages = 4;  // how many of the tree's threads at once
constexpr int kPatience = 1000;         // milliseconds in which open files may be closed at the end
constexpr unsigned kBackground = 64;    // read-ahead requests that the kernel may have under way

unsigned reader_threads() { return std::clamp(std::thread::hardware_concurrency(), 2u, 8u); }

void init(void*, fuse_conn_info* connection) {
  connection->max_read = kLargestRead;
  connection->max_write = kLargestRead;
  connection->max_background = kBackground;
  connection->congestion_threshold = kBackground * 3 / 4;
  // Splicing is slower for large requests. READDIRPLUS would have the kernel keep entries that change.
  connection->want &= ~(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE |
                        FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
  // A truncation must come with its open: as a call of its own it would empty the file for everybody.
  connection->want |=
      connection->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_PARALLEL_DIROPS);
}

const fuse_lowlevel_ops& operations() {
  static const fuse_lowlevel_ops all = [] {
    fuse_lowlevel_ops operations{};
    operations.init = init;
    handlers::add_node_handlers(operations);
    handlers::add_directory_handlers(operations);
    handlers::add_file_handlers(operations);
    return operations;
  }();
  return all;
}

void log_for_fuse(fuse_log_level level, const char* format, va_list arguments) {
  char line[512];
  const int length = std::vsnprintf(line, sizeof line, format, arguments);
  std::string_view text(line, std::min(static_cast<std::size_t>(std::max(length, 0)), sizeof line - 1));
  while (text.ends_with('\n')) text.remove_suffix(1);
  log::write(level <= FUSE_LOG_ERR       ? log::Level::error
             : level == FUSE_LOG_WARNING ? log::Level::warning
                                         : log::Level::debug,
             text);
}

// The signal that interrupts a thread waiting for a request. Its handler does nothing.
constexpr int kLookUp = SIGUSR1;

void install_look_up() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(kLookUp, &action, nullptr);
}

}  // namespace

Result<std::unique_ptr<Session>> Session::start(const std::string& path, tree::Tree& tree, Waiters& waiters,
                                                std::uint64_t generation) {
  std::unique_ptr<Session> session(new Session(path, tree, waiters, generation));
  HF_CHECK(session->begin());
  return session;
}

Session::Session(std::string path, tree::Tree& tree, Waiters& waiters, std::uint64_t generation)
    : path_(std::move(path)),
      ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      face_(tree, waiters, generation, reader_threads(), kMayReadImages) {}

Session::~Session() { stop(); }

Result<> Session::begin() {
  if (!ended_) return fail_errno("making an eventfd");
  fuse_set_log_func(log_for_fuse);
  install_look_up();
  const std::string largest = fmt::format("max_read={}", kLargestRead);
  const char* words[] = {kSource, "-o", largest.c_str()};
  fuse_args arguments = FUSE_ARGS_INIT(static_cast<int>(std::size(words)), const_cast<char**>(words));
  session_.reset(fuse_session_new(&arguments, &operations(), sizeof(fuse_lowlevel_ops), &face_));
  fuse_opt_free_args(&arguments);
  if (!session_) return fail(EIO, "libfuse makes no session");

  // Mounts without libfuse and hands the descriptor over, so that stop() can unmount before the last request
  // is answered.
  HF_TRY(Fd device, mount_at(path_, kLargestRead));
  if (fuse_session_mount(session_.get(), fmt::format("/dev/fd/{}", device.get()).c_str()) != 0) {
    (void)detach(path_);
    return fail(EIO, "libfuse does not take the mount");
  }
  device.release();  // the session owns it now
  serving_ = kTreeThreads;
  for (unsigned i = 0; i < kTreeThreads; ++i) threads_.emplace_back([this] { serve(); });

  struct statvfs it {};
  if (statvfs(path_.c_str(), &it) != 0) return fail_errno("asking the new mount at {}", path_);
  raise_read_ahead(path_);
  return {};
}

void Session::serve() {
  pthread_setname_np(pthread_self(), "tree-worker");
  fuse_buf request{};
  while (!fuse_session_exited(session_.get())) {
    const int length = fuse_session_receive_buf(session_.get(), &request);
    if (length == -EINTR) continue;
    if (length <= 0) break;
    fuse_session_process_buf(session_.get(), &request);
  }
  std::free(request.mem);
  if (--serving_ == 0) eventfd_write(ended_.get(), 1);
}

void Session::stop() {
  if (threads_.empty()) return;
  if (serving_ > 0) {
    // Detaching fails if somebody has unmounted already.
    if (const auto detached = detach(path_); !detached) log::warning("{}", detached.error().message);
    // The kernel ends the session when the last open file is closed. Readers get a moment for that; then
    // their connection is cut.
    pollfd ended{ended_.get(), POLLIN, 0};
    poll(&ended, 1, kPatience);
  }
  fuse_session_exit(session_.get());
  while (serving_ > 0) {
    for (std::thread& thread : threads_) pthread_kill(thread.native_handle(), kLookUp);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace holdfast::mount
