// Tests of one program run to its end: its input, its output, and that no process of it stays.
#include "engine/runs/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "tests/lib/temporary_directory.h"

namespace holdfast::runs {
namespace {

using namespace std::chrono_literals;

class CommandTest : public testing::Test {
 protected:
  Fd script(const std::string& text) {
    const std::string path = folder_ / "script";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    chmod(path.c_str(), 0755);
    return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  Result<CommandEnd> run(const std::string& text, std::chrono::milliseconds timeout = 1min,
                         const std::string& input = "") {
    const Fd program = script(text);
    return run_command({.program = program,
                        .name = "script",
                        .environment = {"PATH=/usr/bin:/bin", "WORD=a b"},
                        .input = input,
                        .user = {.uid = getuid(), .gid = getgid()},
                        .timeout = timeout},
                       cancel_);
  }

  test::TemporaryDirectory folder_;
  source::Cancel cancel_;
};

TEST_F(CommandTest, a_program_gets_its_input_and_environment_and_its_output_is_kept) {
  const auto end = run("cat; echo \"$WORD\"; echo wrong >&2; exit 3", 1min, "input\n");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output, "input\na b\nwrong\n");
  EXPECT_EQ(end->sentence(1min), "exited with 3");
  EXPECT_FALSE(end->succeeded());
}

TEST_F(CommandTest, a_program_is_killed_when_its_time_is_over) {
  std::string output;
  // A span that was too short for the first line, on a busy machine, is doubled.
  for (auto span = 100ms; output.empty(); span *= 2) {
    const auto end = run("echo here; sleep 1000", span);
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_TRUE(end->timed_out);
    output = end->output;
  }
  EXPECT_EQ(output, "here\n");
}

TEST_F(CommandTest, a_program_is_killed_at_a_cancel) {
  std::jthread canceller([this] {
    while (!std::filesystem::exists(folder_ / "begun")) std::this_thread::sleep_for(1ms);
    cancel_.request();
  });
  const auto end = run("touch " + (folder_ / "begun") + "; sleep 1000");
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, ECANCELED);
}

TEST_F(CommandTest, processes_that_a_program_leaves_running_are_killed) {
  const auto end = run("sleep 1000 & echo $!");
  ASSERT_TRUE(end) << end.error().message;
  const pid_t child = std::stoi(end->output);
  const auto gone = [&] {
    std::ifstream status(fmt::format("/proc/{}/stat", child));
    std::string number, name, state;
    status >> number >> name >> state;
    return !status || state == "Z" || state == "X";  // the new parent may be slow to wait for it
  };
  while (!gone()) std::this_thread::sleep_for(1ms);
}

TEST_F(CommandTest, an_output_of_megabytes_is_read_and_cut) {
  const auto end = run("head -c 3000000 /dev/zero | tr '\\0' x");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_TRUE(end->succeeded());
  EXPECT_EQ(end->output.size(), kMostOutput);
  EXPECT_EQ(end->cut, 3'000'000 - kMostOutput);
}

TEST_F(CommandTest, a_program_that_closes_its_output_is_still_waited_for) {
  const auto end = run("exec >&- 2>&-; sleep 0.1; exit 5");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->sentence(1min), "exited with 5");
}

TEST_F(CommandTest, a_program_inherits_no_descriptor_and_gains_no_privileges) {
  const Fd ours(open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY));  // without close-on-exec
  const auto end = run("ls -l /proc/$$/fd; grep NoNewPrivs /proc/$$/status; ps -o pgid= $$ || true; pwd");
  ASSERT_TRUE(end) << end.error().message;
  EXPECT_EQ(end->output.find(folder_.path() + "\n"), std::string::npos) << end->output;
  EXPECT_NE(end->output.find("NoNewPrivs:\t1"), std::string::npos) << end->output;
  EXPECT_TRUE(end->output.ends_with("\n/\n")) << end->output;
}

TEST_F(CommandTest, a_file_that_is_no_program_is_refused) {
  const std::string path = folder_ / "text";
  std::ofstream(path) << "no program\n";
  const auto not_executable = [&] {
    const Fd program(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return run_command({.program = program,
                        .name = "text",
                        .environment = {},
                        .input = "",
                        .user = {.uid = getuid(), .gid = getgid()},
                        .timeout = 1min},
                       cancel_);
  };
  chmod(path.c_str(), 0644);
  EXPECT_EQ(not_executable().error().code, EACCES);
  chmod(path.c_str(), 0755);
  EXPECT_EQ(not_executable().error().code, ENOEXEC);
}

}  // namespace
}  // namespace holdfast::runs
