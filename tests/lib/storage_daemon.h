// A real qemu-storage-daemon, with disks that a test writes to while they are backed up.
#pragma once

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/fd.h"
#include "engine/sources/qmp/client.h"
#include "tests/lib/process.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

struct DaemonDisk {
  std::string node;
  std::string format = "qcow2";  // or "raw"
  std::uint64_t size = 16 * kMiB;
  std::string options = "";    // for qemu-img create
  std::string directory = "";  // folder of the disk's file; "": the daemon's own
};

// Each disk's node has the disk's name in QEMU. Tests write to a disk through its FUSE export, and a copy of
// all written data is the truth for comparisons. Two monitors: qmp() is for the tested code, tell() uses the
// other one. Failures throw, because no test makes sense without the daemon.
class StorageDaemon {
 public:
  explicit StorageDaemon(std::vector<DaemonDisk> disks) {
    for (DaemonDisk& disk : disks) disks_.push_back({std::move(disk), Bytes{}});
    for (Disk& disk : disks_) {
      disk.truth.resize(disk.made.size);
      std::vector<std::string> create{"qemu-img", "create", "-q", "-f", disk.made.format};
      if (!disk.made.options.empty()) create.insert(create.end(), {"-o", disk.made.options});
      create.insert(create.end(), {file(disk.made.node), std::to_string(disk.made.size)});
      if (Process::run(create) != 0) throw std::runtime_error("qemu-img create failed");
      std::ofstream(window(disk.made.node)).flush();
    }
    start();
  }
  ~StorageDaemon() { end(SIGKILL); }

  void start() {
    std::vector<std::string> command{"qemu-storage-daemon"};
    for (const char* monitor : {"qmp", "control"}) {
      command.insert(command.end(), {"--chardev",
                                     std::string("socket,server=on,wait=off,id=") + monitor +
                                         ",path=" + (directory_ / monitor),
                                     "--monitor", std::string("chardev=") + monitor});
    }
    for (const Disk& disk : disks_) {
      const std::string& node = disk.made.node;
      command.insert(
          command.end(),
          {"--blockdev", "driver=file,discard=unmap,node-name=" + node + "-file,filename=" + file(node),
           "--blockdev",
           "driver=" + disk.made.format + ",discard=unmap,node-name=" + node + ",file=" + node + "-file",
           "--export",
           "type=fuse,writable=on,id=" + node + "-window,node-name=" + node + ",mountpoint=" + window(node)});
    }
    process_ = Process(command);
    // Connect only after the windows exist, which QEMU makes last: two threads of a starting QEMU can accept
    // the same client, and one then waits forever.
    for (const Disk& disk : disks_)
      while (process_.runs() && std::filesystem::file_size(window(disk.made.node)) != disk.made.size)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    for (int tries = 0;; ++tries) {
      auto client = source::qmp::Client::connect(directory_ / "control", {});
      if (client) {
        control_ = std::move(*client);
        return;
      }
      if (tries == 2000) throw std::runtime_error(client.error().message);
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
  }
  // SIGTERM ends the daemon cleanly, with stored bitmaps; SIGKILL loses the bitmaps.
  void end(int signal) {
    control_.reset();
    if (process_.started()) process_.end(signal);
    for (const Disk& disk : disks_) ::umount2(window(disk.made.node).c_str(), MNT_DETACH);
  }
  void restart(int signal) {
    end(signal);
    start();
  }
  const Process& process() const { return process_; }

  std::string qmp() const { return directory_ / "qmp"; }
  std::string path(const std::string& name) const { return directory_ / name; }
  std::string file(const std::string& node) const {
    const std::string& elsewhere = find(node).made.directory;
    return (elsewhere.empty() ? directory_.path() : elsewhere) + "/" + node + ".img";
  }
  std::string window(const std::string& node) const { return directory_ / (node + ".window"); }

  source::qmp::Json tell(const std::string& command,
                         const source::qmp::Json& arguments = source::qmp::Json::object()) {
    auto answer = control_->execute(command, arguments);
    if (!answer) throw std::runtime_error(answer.error().message);
    return *answer;
  }

  // Writes as a guest would, and to the truth.
  void write(const std::string& node, std::uint64_t offset, ByteView bytes) {
    const Fd fd{::open(window(node).c_str(), O_WRONLY | O_CLOEXEC)};
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size()))
      throw std::runtime_error("writing to " + window(node) + " failed");
    std::copy(bytes.begin(), bytes.end(), truth(node).begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void fill(const std::string& node, std::uint64_t offset, std::uint64_t length, char with) {
    write(node, offset, Bytes(length, static_cast<std::byte>(with)));
  }
  Bytes& truth(const std::string& node) { return const_cast<Disk&>(find(node)).truth; }

 private:
  struct Disk {
    DaemonDisk made;
    Bytes truth;
  };

  const Disk& find(const std::string& node) const {
    for (const Disk& disk : disks_)
      if (disk.made.node == node) return disk;
    throw std::runtime_error("no disk " + node);
  }

  TemporaryDirectory directory_;
  std::vector<Disk> disks_;
  Process process_;
  std::unique_ptr<source::qmp::Client> control_;
};

}  // namespace holdfast::test
