// Tests of notices that can't be delivered, with pauses short enough for a test.
#include "engine/runs/notices.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "catalog/base/fd.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "tests/engine/engine_room.h"

namespace holdfast::runs {
namespace {

using namespace std::chrono_literals;

using test::kNow;

// A socket on loopback: the kernel accepts connections, and nothing ever answers on them.
class Silence {
 public:
  Silence() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in here{
        .sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_zero = {}};
    socklen_t length = sizeof here;
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&here), length), 0);
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&here), &length), 0);
    port_ = ntohs(here.sin_port);
  }
  void listen() { EXPECT_EQ(::listen(socket_.get(), 8), 0); }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/", port_); }

 private:
  Fd socket_;
  int port_ = 0;
};

class NoticesTest : public testing::Test, protected test::EngineRoom {
 protected:
  Execution end(std::vector<std::string> recipients) {
    Execution execution{.id = new_id(), .name = "r1", .status = RunStatus::success, .created_at = kNow};
    execution.completed_at = execution.started_at = kNow;
    const auto made = catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m", {}, kNow));
      HF_CHECK(Machines(db).define(machine.id, {.driver = "qmp", .disks = {{"d"}}}, kNow));
      HF_TRY(const Repository repository, Repositories(db).add("r", {}, kNow));
      HF_CHECK(Repositories(db).define(repository.id, {.path = "/srv/backup"}, kNow));
      HF_TRY(const Flow flow, Flows(db).add("f", {}, kNow));
      execution.flow_id = flow.id;
      HF_CHECK(Flows(db).define(
          flow.id, {.target = "machines/m", .repository = "r", .recipients = std::move(recipients)}, kNow));
      return Executions(db).add(execution);
    });
    EXPECT_TRUE(made) << made.error().message;
    return execution;
  }
  std::vector<std::string> told(const Execution& execution) {
    const auto log =
        catalog_->read([&](db::Connection& db) { return Logs(db).of_execution(execution.id, 0, 100); });
    std::vector<std::string> lines;
    for (const auto& line : log.value()) lines.push_back(line.text);
    return lines;
  }
  std::vector<std::string> await_lines(const Execution& execution, std::size_t count) {
    std::vector<std::string> lines;
    while ((lines = told(execution)).size() < count) std::this_thread::sleep_for(1ms);
    return lines;
  }

  Notices::Pace quick_{.tries = 3, .first_pause = 1ms, .longest_try = 50ms};
};

TEST_F(NoticesTest, a_receiver_that_is_down_is_tried_three_times_with_a_log_line_and_an_event) {
  const Silence nobody;  // holds the port, but does not listen
  Notices notices(services_, quick_);
  const Execution execution = end({"always " + nobody.url() + "path?token=secret"});
  notices.execution_ended(execution);
  const auto lines = await_lines(execution, 1);
  EXPECT_TRUE(lines[0].ends_with("(tried 3 times)")) << lines[0];
  EXPECT_EQ(lines[0].find("secret"), std::string::npos);
  const auto events = *catalog_->read([](db::Connection& db) { return Events(db).since(0, 10, {}); });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, "notice");
  EXPECT_EQ(events[0].result, EventResult::failed);
}

TEST_F(NoticesTest, a_receiver_that_never_answers_is_given_up) {
  Silence silence;
  silence.listen();
  Notices notices(services_, quick_);
  const Execution execution = end({"always " + silence.url()});
  notices.execution_ended(execution);
  EXPECT_TRUE(await_lines(execution, 1)[0].ends_with("(tried 3 times)"));
}

TEST_F(NoticesTest, notices_beyond_the_limit_are_dropped) {
  Silence silence;
  silence.listen();
  quick_.most = 1;
  quick_.longest_try = 1h;
  Notices notices(services_, quick_);
  const Execution execution = end({"always " + silence.url(), "always " + silence.url() + "second"});
  notices.execution_ended(execution);
  EXPECT_NE(await_lines(execution, 1)[0].find("1 notices wait already"), std::string::npos);
}  // the transfer in progress does not keep `notices` from ending

TEST_F(NoticesTest, a_flow_without_receivers_sends_nothing) {
  Notices notices(services_, quick_);
  const Execution execution = end({});
  notices.execution_ended(execution);
  notices.stop();
  EXPECT_TRUE(told(execution).empty());
}

}  // namespace
}  // namespace holdfast::runs
