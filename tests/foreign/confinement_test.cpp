// Tests that libqcow can harm only its own process, and only for a bounded time.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "engine/foreign/protocol.h"
#include "engine/foreign/reader/confinement.h"
#include "tests/foreign/fixture.h"

namespace holdfast::foreign::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

class Reader : public testing::Test {
 protected:
  Reader() : disk_(make_truth(scratch_, random_, 2 * kMiB)) { sh(scratch_, kMakeCompressedVersion1); }

  std::unique_ptr<ReaderProcess> start(ReaderOptions options = reader()) {
    return must(ReaderProcess::start(must(ImageFile::open(scratch_.path("a.img"))), options));
  }
  static std::string of(const ReaderProcess& process, const std::string& what) {
    std::ifstream file(fmt::format("/proc/{}/{}", process.pid(), what));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_;
};

TEST_F(Reader, the_reader_has_given_up_its_privileges) {
  const auto process = start();
  const std::string status = of(*process, "status");
  EXPECT_THAT(status, HasSubstr("Seccomp:\t2\n"));
  EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1\n"));
  if (::geteuid() != 0) return;
  EXPECT_THAT(status, HasSubstr("Uid:\t65534\t65534\t65534\t65534\n"));
  EXPECT_THAT(status, HasSubstr("Gid:\t65534\t65534\t65534\t65534\n"));
  EXPECT_THAT(status, ContainsRegex("Groups:\t *\n"));
  EXPECT_THAT(status, HasSubstr("CapEff:\t0000000000000000\n"));
  EXPECT_THAT(status, HasSubstr("CapPrm:\t0000000000000000\n"));
}

TEST_F(Reader, the_reader_has_two_descriptors_and_can_open_no_more) {
  const auto process = start();
  std::vector<std::string> descriptors;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", process->pid())))
    descriptors.push_back(entry.path().filename());
  EXPECT_THAT(descriptors, UnorderedElementsAre("0", "1"));
  const std::string limits = of(*process, "limits");
  EXPECT_THAT(limits, ContainsRegex("Max open files +0 +0 "));
  EXPECT_THAT(limits, ContainsRegex("Max processes +0 +0 "));
  EXPECT_THAT(limits, ContainsRegex("Max file size +0 +0 "));
  EXPECT_THAT(limits, ContainsRegex("Max core file size +0 +0 "));
  EXPECT_THAT(limits, ContainsRegex("Max cpu time +6[0-9] +6[0-9] "));
  if (!kSanitized) {
    EXPECT_THAT(limits, ContainsRegex("Max address space +268435456 +268435456 "));
  }
}

TEST_F(Reader, a_stopped_reader_is_ended_at_its_deadline) {
  const auto process = start({.program = HOLDFAST_QCOW, .deadline = std::chrono::seconds(20)});
  Bytes into(4096);
  must(process->read(0, into, 4096));
  const auto other = start({.program = HOLDFAST_QCOW, .deadline = std::chrono::seconds(2)});
  const pid_t pid = other->pid();
  ::kill(pid, SIGSTOP);
  EXPECT_THAT(error_of(other->read(0, into, 4096)).message,
              HasSubstr("did not answer within 2000 ms, and was ended"));
  EXPECT_NE(::kill(pid, 0), 0);
  EXPECT_THAT(error_of(other->read(0, into, 4096)).message, HasSubstr("has ended"));
  must(process->read(0, into, 4096));
}

TEST_F(Reader, a_dead_reader_is_an_error_with_its_signal_or_status) {
  const auto process = start();
  ::kill(process->pid(), SIGKILL);
  Bytes into(4096);
  EXPECT_THAT(error_of(process->read(0, into, 4096)).message, HasSubstr("died of signal 9"));
}

TEST_F(Reader, the_reader_dies_with_the_thread_that_started_it) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    const auto process = start();
    const pid_t pid = process->pid();
    if (::write(ends[1], &pid, sizeof pid) != sizeof pid) ::_exit(1);
    ::kill(pid, SIGSTOP);  // a stopped process does not notice the end of its socket
    ::_exit(0);
  }
  pid_t reader_pid = 0;
  ASSERT_EQ(::read(ends[0], &reader_pid, sizeof reader_pid), static_cast<ssize_t>(sizeof reader_pid));
  ::waitpid(parent, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  // The reader is not our child here, so its end is seen in /proc.
  sh(scratch_, fmt::format("timeout 30 tail -f --pid={} /dev/null", reader_pid));
}

TEST_F(Reader, a_read_beyond_the_disk_is_an_error) {
  const auto process = start();
  Bytes into(4096);
  EXPECT_THAT(error_of(process->read(disk_.size(), into, 4096)).message, HasSubstr("can't be read at"));
}

TEST_F(Reader, a_missing_reader_program_is_an_error) {
  const auto refused =
      ReaderProcess::start(must(ImageFile::open(scratch_.path("a.img"))), {.program = "/nowhere"});
  EXPECT_EQ(error_of(refused).code, ENOENT);
}

// Runs `act` in a process that is confined in the same way; returns its wait status.
int confined(const Scratch& scratch, const std::function<void()>& act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    int ends[2];
    const int image = ::open(scratch.path("a.img").c_str(), O_RDONLY);
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || image < 0) ::_exit(100);
    ::dup2(image, protocol::kImage);
    ::dup2(ends[0], protocol::kSocket);
    if (!confine()) ::_exit(101);
    act();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

struct Attempt {
  const char* name;
  void (*act)();
};
class Attempted : public testing::TestWithParam<Attempt> {};
INSTANTIATE_TEST_SUITE_P(By, Attempted,
                         testing::Values(Attempt{"open", [] { ::open("/etc/passwd", O_RDONLY); }},
                                         Attempt{"socket", [] { ::socket(AF_INET, SOCK_STREAM, 0); }},
                                         Attempt{"fork", [] { ::fork(); }},
                                         Attempt{"execute", [] { ::execl("/bin/true", "true", nullptr); }},
                                         Attempt{"signal_others", [] { ::kill(1, 0); }},
                                         Attempt{"write_to_the_image",
                                                 [] {
                                                   if (::write(protocol::kImage, "x", 1) < 0) return;
                                                 }},
                                         Attempt{"change_the_image_size",
                                                 [] { (void)!::ftruncate(protocol::kImage, 0); }},
                                         Attempt{"map_code",
                                                 [] {
                                                   ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC,
                                                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                                                 }}),
                         [](const auto& attempt) { return std::string{attempt.param.name}; });

TEST_P(Attempted, a_forbidden_attempt_ends_the_reader_at_once) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  const int status = confined(scratch, GetParam().act);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << "status " << status;
}

TEST(Confined, a_confined_process_still_reads_its_image) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  const int status = confined(scratch, [] {
    char magic[4];
    if (::pread(protocol::kImage, magic, sizeof magic, 0) != sizeof magic) ::_exit(1);
  });
  EXPECT_EQ(status, 0);
}

TEST(Confined, memory_is_bounded) {
  if (kSanitized) return;
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  const int status = confined(scratch, [] {
    void* little = ::mmap(nullptr, 32 * kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void* much = ::mmap(nullptr, kGiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::_exit(little != MAP_FAILED && much == MAP_FAILED ? 0 : 1);
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace holdfast::foreign::test
