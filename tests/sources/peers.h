// The real peers of every driver, with one interface: two disks that a test writes to.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/sources/file/driver.h"
#include "engine/sources/nbd/driver.h"
#include "engine/sources/qmp/driver.h"
#include "tests/lib/driver_fields.h"
#include "tests/lib/qemu_machine.h"
#include "tests/lib/storage_daemon.h"

namespace holdfast::test {

// A peer with the disks "a" and "b" of kSize bytes, which are zeros at first.
class Peer {
 public:
  static constexpr std::uint64_t kSize = 8 * kMiB;

  virtual ~Peer() = default;
  virtual source::Driver& driver() = 0;
  virtual MachineDefinition machine() const = 0;
  virtual void write(std::size_t disk, std::uint64_t offset, ByteView bytes) = 0;
  virtual Bytes truth(std::size_t disk) const = 0;
  virtual bool knows_holes() const { return true; }
  // Returns everything that is there besides the disks, as text. It must be the same after a capture.
  virtual std::string traces() const = 0;
};

// Raw files, which most peers serve.
class RawFiles {
 public:
  RawFiles() {
    for (const char* name : {"a", "b"}) {
      std::ofstream(path(name)).flush();
      std::filesystem::resize_file(path(name), Peer::kSize);
    }
  }
  std::string path(const std::string& name) const { return directory_ / (name + ".raw"); }
  std::string path(std::size_t disk) const { return path(disk == 0 ? "a" : "b"); }
  std::string socket(std::size_t disk) const { return directory_ / (disk == 0 ? "a.sock" : "b.sock"); }
  Bytes read(std::size_t disk) const {
    std::ifstream file(path(disk), std::ios::binary);
    Bytes bytes(std::filesystem::file_size(path(disk)));
    file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return bytes;
  }
  static void write(const std::string& path, std::uint64_t offset, ByteView bytes) {
    const Fd fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
            static_cast<ssize_t>(bytes.size()) ||
        ::fsync(fd.get()) != 0)
      throw std::runtime_error("writing to " + path + " failed");
  }
  std::string listing() const {
    std::string names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      names += entry.path().filename().string() + "\n";
    return names;
  }

 private:
  TemporaryDirectory directory_;
};

class FilePeer : public Peer {
 public:
  source::Driver& driver() override { return driver_; }
  MachineDefinition machine() const override {
    MachineDefinition machine;
    machine.driver = "file";
    machine.disks = {a_disk("a", {{"path", files_.path(0)}}), a_disk("b", {{"path", files_.path(1)}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    RawFiles::write(files_.path(disk), offset, bytes);
  }
  Bytes truth(std::size_t disk) const override { return files_.read(disk); }
  std::string traces() const override { return files_.listing(); }

 protected:
  RawFiles files_;
  source::file::FileDriver driver_;
};

// Serves the same files as loop devices.
class LoopPeer final : public FilePeer {
 public:
  LoopPeer() {
    for (const std::size_t disk : {0u, 1u}) {
      const std::unique_ptr<FILE, int (*)(FILE*)> losetup(
          ::popen(("losetup --find --show " + files_.path(disk)).c_str(), "r"), ::pclose);
      char name[64] = {};
      if (std::fgets(name, sizeof name, losetup.get()) == nullptr) throw std::runtime_error("losetup failed");
      devices_[disk] = std::string(name).substr(0, std::string_view(name).find('\n'));
    }
  }
  ~LoopPeer() override {
    for (const std::string& device : devices_)
      if (!device.empty()) Process::run({"losetup", "--detach", device});
  }
  MachineDefinition machine() const override {
    MachineDefinition machine = FilePeer::machine();
    machine.disks = {a_disk("a", {{"path", devices_[0]}}), a_disk("b", {{"path", devices_[1]}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    RawFiles::write(devices_[disk], offset, bytes);
  }
  bool knows_holes() const override { return false; }

 private:
  std::string devices_[2];
};

// Image files, which the driver reads through qemu-nbd.
class Qcow2Peer final : public Peer {
 public:
  Qcow2Peer() {
    for (const std::size_t disk : {0u, 1u})
      run({"qemu-img", "create", "-q", "-f", "qcow2", image(disk), std::to_string(kSize)});
  }
  source::Driver& driver() override { return driver_; }
  MachineDefinition machine() const override {
    MachineDefinition machine;
    machine.driver = "file";
    machine.disks = {a_disk("a", {{"path", image(0)}, {"format", "qcow2"}}),
                     a_disk("b", {{"path", image(1)}, {"format", "qcow2"}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    const std::string source = directory_ / "written";
    std::ofstream(source, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    run({"qemu-io", "-f", "qcow2", "-c", fmt::format("write -q -s {} {} {}", source, offset, bytes.size()),
         image(disk)});
    std::ranges::copy(bytes, truth_.at(disk).begin() + static_cast<std::ptrdiff_t>(offset));
    std::filesystem::remove(source);
  }
  Bytes truth(std::size_t disk) const override { return truth_.at(disk); }
  std::string traces() const override {
    std::string names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.path()))
      names += entry.path().filename().string() + "\n";
    return names;
  }

 private:
  static void run(const std::vector<std::string>& command) {
    if (Process::run(command) != 0) throw std::runtime_error(command.front() + " failed");
  }
  std::string image(std::size_t disk) const { return directory_ / (disk == 0 ? "a.qcow2" : "b.qcow2"); }

  TemporaryDirectory directory_;
  std::vector<Bytes> truth_{Bytes(kSize), Bytes(kSize)};
  source::file::FileDriver driver_;
};

// Runs one NBD server for each disk, by the command of a subclass.
class NbdPeer : public Peer {
 public:
  source::Driver& driver() override { return driver_; }
  MachineDefinition machine() const override {
    MachineDefinition machine;
    machine.driver = "nbd";
    machine.disks = {a_disk("a", {{"uri", "nbd+unix:///?socket=" + files_.socket(0)}}),
                     a_disk("b", {{"uri", "nbd+unix:///?socket=" + files_.socket(1)}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    RawFiles::write(files_.path(disk), offset, bytes);
  }
  Bytes truth(std::size_t disk) const override { return files_.read(disk); }
  std::string traces() const override { return files_.listing(); }

 protected:
  void serve(std::size_t disk, const std::vector<std::string>& command) {
    servers_[disk] = Process(command);
    while (!source::nbd::answers(files_.socket(disk), {}).value())
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
  }

  RawFiles files_;

 private:
  source::nbd::NbdDriver driver_;
  Process servers_[2];
};

class NbdkitPeer final : public NbdPeer {
 public:
  NbdkitPeer() {
    for (const std::size_t disk : {0u, 1u})
      serve(disk,
            {"nbdkit", "--foreground", "--unix", files_.socket(disk), "file", "file=" + files_.path(disk)});
  }
};

// Has no structured replies, so everything is data.
class PlainNbdkitPeer final : public NbdPeer {
 public:
  PlainNbdkitPeer() {
    for (const std::size_t disk : {0u, 1u})
      serve(disk, {"nbdkit", "--foreground", "--no-sr", "--unix", files_.socket(disk), "file",
                   "file=" + files_.path(disk)});
  }
  bool knows_holes() const override { return false; }
};

class QemuNbdPeer final : public NbdPeer {
 public:
  QemuNbdPeer() {
    for (const std::size_t disk : {0u, 1u})
      serve(disk, {"qemu-nbd", "--read-only", "--persistent", "--shared=0", "--format=raw", "--socket",
                   files_.socket(disk), files_.path(disk)});
  }
};

// QEMU's storage daemon, as a plain NBD server with two exports.
class StorageDaemonNbdPeer final : public NbdPeer {
 public:
  StorageDaemonNbdPeer() {
    std::vector<std::string> command{"qemu-storage-daemon", "--nbd-server",
                                     "addr.type=unix,addr.path=" + files_.socket(0)};
    for (const std::size_t disk : {0u, 1u}) {
      const std::string node = disk == 0 ? "a" : "b";
      command.insert(
          command.end(),
          {"--blockdev", "driver=file,read-only=on,node-name=" + node + ",filename=" + files_.path(disk),
           "--export", "type=nbd,id=" + node + ",node-name=" + node + ",name=" + node});
    }
    serve(0, command);
  }
  MachineDefinition machine() const override {
    MachineDefinition machine = NbdPeer::machine();
    for (DiskDefinition& disk : machine.disks)
      disk = a_disk(disk.name, {{"uri", "nbd+unix:///" + disk.name + "?socket=" + files_.socket(0)}});
    return machine;
  }
};

class QmpPeer final : public Peer {
 public:
  source::Driver& driver() override { return driver_; }
  MachineDefinition machine() const override {
    MachineDefinition machine;
    machine.driver = "qmp", machine.fields = driver_fields({{"socket", daemon_.qmp()}});
    machine.disks = {a_disk("a", {{"node", "a"}}), a_disk("b", {{"node", "b"}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    daemon_.write(disk == 0 ? "a" : "b", offset, bytes);
  }
  Bytes truth(std::size_t disk) const override { return daemon_.truth(disk == 0 ? "a" : "b"); }
  // Leaves bitmaps out, because a committed capture leaves them.
  std::string traces() const override {
    std::string found;
    for (const source::qmp::Json& node : daemon_.tell("query-named-block-nodes", {{"flat", true}}))
      found += node["node-name"].get<std::string>() + "\n";
    return found + daemon_.tell("query-block-exports").dump() + daemon_.tell("query-jobs").dump();
  }

 private:
  mutable StorageDaemon daemon_{{{.node = "a", .size = kSize}, {.node = "b", .size = kSize}}};
  source::qmp::QmpDriver driver_;
};

// A QEMU with a guest's devices, which write through copy filters during a capture.
class QemuPeer final : public Peer {
 public:
  source::Driver& driver() override { return driver_; }
  MachineDefinition machine() const override {
    MachineDefinition machine;
    machine.driver = "qmp", machine.fields = driver_fields({{"socket", qemu_.qmp()}});
    machine.disks = {a_disk("a", {{"node", "a"}}), a_disk("b", {{"node", "b"}})};
    return machine;
  }
  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) override {
    qemu_.write(disk, offset, bytes);
  }
  Bytes truth(std::size_t disk) const override { return qemu_.truth(disk); }
  // Leaves bitmaps out, as above.
  std::string traces() const override {
    source::qmp::Json found = qemu_.traces();
    for (source::qmp::Json& bitmaps : found["nodes"]) bitmaps.clear();
    return found.dump();
  }

 private:
  mutable QemuMachine qemu_{{"a", "b"}, kSize};
  source::qmp::QmpDriver driver_;
};

}  // namespace holdfast::test
