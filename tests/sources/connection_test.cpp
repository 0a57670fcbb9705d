// Tests how a server is asked whether it runs: nobody may be left in its negotiation.
#include <endian.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>
#include <thread>

#include "catalog/base/fd.h"
#include "engine/sources/nbd/connection.h"
#include "tests/lib/must.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {
namespace {

using std::chrono::milliseconds;

// Greets a client as an NBD server does, and takes its time over the abort of the negotiation.
class SlowServer {
 public:
  SlowServer() : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 1) != 0)
      throw std::runtime_error("listening failed");
  }

  std::string path() const { return directory_ / "nbd"; }

  // Refuses all options until the client ends the negotiation.
  void greet() {
    constexpr std::uint32_t kAbort = 2, kUnsupported = 0x80000001;
    client_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    send({"NBDMAGICIHAVEOPT\0\3", 18});
    receive(4);  // the client's flags
    for (;;) {
      const std::string option = receive(16).substr(8, 4);
      if (option == big_endian(kAbort)) return;
      send({"\0\3\xe8\x89\x04\x55\x65\xa9", 8});
      send(option + big_endian(kUnsupported) + big_endian(0));
    }
  }
  // Whether the client goes although nobody has hung up on it. A client that does is mostly seen at once.
  bool is_left_by_the_client() {
    pollfd waited{.fd = client_.get(), .events = 0, .revents = 0};  // POLLHUP
    return ::poll(&waited, 1, 200) != 0;
  }
  void hang_up() { client_ = Fd(); }

 private:
  static std::string big_endian(std::uint32_t number) {
    const std::uint32_t bytes = htobe32(number);
    return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(client_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
  }
  std::string receive(std::size_t length) {
    std::string bytes(length, '\0');
    EXPECT_EQ(::recv(client_.get(), bytes.data(), length, MSG_WAITALL), std::ssize(bytes));
    return bytes;
  }

  TemporaryDirectory directory_;
  Fd listener_, client_;
};

TEST(NbdAnswers, the_question_ends_after_the_server_has_let_go_of_the_client) {
  SlowServer server;
  bool left_first = true;
  std::jthread serving([&] {
    server.greet();
    left_first = server.is_left_by_the_client();
    server.hang_up();
  });
  EXPECT_TRUE(must(source::nbd::answers(server.path(), {})));
  serving.join();
  EXPECT_FALSE(left_first);
}

TEST(NbdAnswers, a_server_that_does_not_let_go_hangs) {
  SlowServer server;
  std::jthread serving([&] { server.greet(); });
  const auto answer = source::nbd::answers(server.path(), {.connect = milliseconds{300}});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ETIMEDOUT);
  EXPECT_THAT(answer.error().message, testing::HasSubstr("does not answer"));
}

TEST(NbdAnswers, nobody_runs_where_nobody_listens) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(must(source::nbd::answers(directory / "nbd", {})));
}

}  // namespace
}  // namespace holdfast::test
