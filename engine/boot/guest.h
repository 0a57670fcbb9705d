// A guest that runs to see whether a point's disks boot: QEMU without a network, without names on the host,
// as nobody.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/model/enumerations.h"
#include "engine/boot/picture.h"
#include "engine/common/child_process.h"
#include "engine/sources/qmp/agent.h"
#include "engine/sources/qmp/client.h"

namespace holdfast::boot {

struct GuestPlan {
  Accelerator accelerator = Accelerator::tcg;
  BootBus bus = BootBus::virtio;
  std::vector<int> disks;  // QEMU's ends of the exports, the first to boot from first
};

// QEMU has nothing of the host but sockets without names, which it inherits: the disks, its monitor, the port
// of the guest's agent, its own errors. It dies with this object, and with the thread that started it. One
// thread at a time.
class Guest {
 public:
  // Returns ENOENT if QEMU is not installed.
  static Result<std::unique_ptr<Guest>> start(const GuestPlan& plan);
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;

  // Takes what the guest says, for at most that time. Fails once QEMU has ended.
  Result<> listen(std::chrono::milliseconds time);
  // The newest 64 KiB of each.
  const std::string& firmware() const { return firmware_; }
  const std::string& console() const { return console_; }
  // Returns why the guest runs no more.
  const std::optional<std::string>& stopped() const { return stopped_; }
  bool agent_answers();

  Result<Picture> picture();
  Result<std::string> screenshot();  // as PNG
  // Returns the screen's lines; "" unless it is in text mode.
  Result<std::string> text_on(const Picture& screen);

 private:
  // A pair of connected sockets.
  struct Wire {
    Fd ours, theirs;
  };

  Guest() = default;
  static Result<Wire> lay_wire();
  Result<> make_screen_file();
  std::vector<std::string> arguments(const GuestPlan& plan) const;
  Result<> spawn(const GuestPlan& plan);
  Result<> hear(const char* chardev, std::string& said);
  std::string errors();
  Result<std::string> dump_screen(const char* format);
  tl::unexpected<Error> explain(const Error& error);

  Wire monitor_, agent_wire_, errors_;
  std::string firmware_, console_;
  Fd screen_, screen_of_qemu_;  // one file in memory, to read from and to write to
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<source::qmp::Client> client_;
  std::unique_ptr<source::qmp::Agent> agent_;
  std::optional<std::string> stopped_;
};

}  // namespace holdfast::boot
