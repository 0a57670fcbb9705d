// Tests the QMP client against a real storage daemon, and against peers that speak something else.
#include "engine/sources/qmp/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

#include "catalog/base/bytes.h"
#include "tests/lib/storage_daemon.h"

namespace holdfast::test {
namespace {

using source::Deadline;
using source::qmp::Client;
using source::qmp::Json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// Listens, and sends the same bytes to every client.
class Parrot {
 public:
  explicit Parrot(std::string words) : words_(std::move(words)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    ::listen(listener_.get(), 1);
    thread_ = std::thread([this] {
      const Fd peer{::accept(listener_.get(), nullptr, nullptr)};
      ::send(peer.get(), words_.data(), words_.size(), MSG_NOSIGNAL);
      char heard[256];
      while (::recv(peer.get(), heard, sizeof heard, 0) > 0) {
      }
    });
  }
  ~Parrot() { thread_.join(); }
  std::string path() const { return directory_ / "socket"; }

 private:
  TemporaryDirectory directory_;
  std::string words_;
  Fd listener_;
  std::thread thread_;
};

TEST(QmpClient, a_refusal_has_the_words_of_qemu) {
  StorageDaemon daemon({});
  auto client = Client::connect(daemon.qmp(), {}).value();
  EXPECT_TRUE(client->execute("query-jobs").value().is_array());
  const auto refused = client->execute("blockdev-del", {{"node-name", "nothing"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EREMOTEIO);
  EXPECT_THAT(refused.error().message, HasSubstr("refuses blockdev-del: GenericError: Failed to find node"));
  const auto unknown = client->execute("make-coffee");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ENOSYS);
  EXPECT_FALSE(client->broken());
}

TEST(QmpClient, each_of_many_threads_gets_its_own_answer) {
  StorageDaemon daemon({});
  auto client = Client::connect(daemon.qmp(), {}).value();
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const std::string node = fmt::format("n-{}-{}", t, i);
        const auto refused = client->execute("blockdev-del", {{"node-name", node}});
        if (refused || refused.error().message.find("'" + node + "'") == std::string::npos) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(QmpClient, events_are_kept_for_later_callers) {
  StorageDaemon daemon({{.node = "disk0"}});
  auto client = Client::connect(daemon.qmp(), {}).value();
  const auto mark = client->mark();
  ASSERT_TRUE(client->execute(
      "blockdev-create",
      {{"job-id", "j"},
       {"options", {{"driver", "file"}, {"filename", daemon.path("new")}, {"size", 65536}}}}));
  const auto ended = [](const Json& event) {
    return event["event"] == "JOB_STATUS_CHANGE" && event["data"]["status"] == "concluded";
  };
  const Deadline deadline = Deadline::in(std::chrono::seconds{30});
  for (int twice = 0; twice < 2; ++twice) {
    const auto event = client->wait_event(mark, ended, deadline).value();
    ASSERT_TRUE(event);
    EXPECT_EQ((*event)["data"]["id"], "j");
  }
  EXPECT_FALSE(client->wait_event(client->mark(), ended, Deadline::in(milliseconds{20})).value());
}

TEST(QmpClient, an_unanswered_command_breaks_the_connection) {
  StorageDaemon daemon({});
  auto client = Client::connect(daemon.qmp(), {.command = milliseconds{200}}).value();
  daemon.process().signal(SIGSTOP);
  const auto late = client->execute("query-jobs");
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ETIMEDOUT);
  EXPECT_TRUE(client->broken());
  EXPECT_EQ(client->execute("query-jobs").error(), late.error()) << "at once, and with the same words";
}

TEST(QmpClient, the_end_of_the_source_is_noticed) {
  StorageDaemon daemon({});
  auto client = Client::connect(daemon.qmp(), {}).value();
  EXPECT_FALSE(client->broken());
  daemon.end(SIGKILL);
  EXPECT_TRUE(client->broken());
  EXPECT_EQ(client->execute("query-jobs").error().code, ECONNRESET);
}

TEST(QmpClient, a_peer_that_speaks_no_qmp_is_refused) {
  Parrot monitor("QEMU 7.2.22 monitor - type 'help' for more information\r\n(qemu) ");
  const auto client = Client::connect(monitor.path(), {});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, EPROTO);
  EXPECT_THAT(client.error().message, HasSubstr("does not speak QMP: this is no JSON: 'QEMU 7.2.22 monitor"));
}

TEST(QmpClient, an_answer_without_a_request_breaks_the_connection) {
  Parrot peer("{\"QMP\": {}}\r\n{\"return\": {}}\r\n");
  const auto client = Client::connect(peer.path(), {});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, EPROTO);
}

TEST(QmpClient, four_megabytes_of_events_are_kept) {
  constexpr int kEvents = 8;
  std::string words = "{\"QMP\": {}}\n";
  for (int number = 0; number < kEvents; ++number)
    words += Json{{"event", "E"}, {"number", number}, {"data", std::string(kMiB, 'x')}}.dump() + "\n";
  Parrot peer(words + "{\"return\": {}, \"id\": 1}\n");
  // A sanitizer takes long over so many bytes.
  constexpr std::chrono::minutes kPatience{5};
  const auto client = Client::connect(peer.path(), {.greeting = kPatience, .command = kPatience}).value();
  const auto any = [](const Json&) { return true; };
  const auto oldest = client->wait_event(0, any, Deadline::in(milliseconds{20})).value();
  ASSERT_TRUE(oldest);
  EXPECT_EQ((*oldest)["number"], kEvents - 3) << "each is a little longer than a megabyte";
}

TEST(QmpClient, a_path_too_long_for_a_socket_is_refused) {
  const auto client = Client::connect("/tmp/" + std::string(120, 'x'), {});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error().code, ENAMETOOLONG);
}

}  // namespace
}  // namespace holdfast::test
