// A real QEMU under its own emulation, with disks that a test writes to as the guest would.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "catalog/base/bytes.h"
#include "engine/sources/qmp/client.h"
#include "tests/lib/process.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

// A machine that is never started and needs no system: its monitor writes to the disks through the guest's
// devices. A copy of all written data is the truth for comparisons. Two monitors: qmp() is for the tested
// code, tell() uses the other one. Failures throw, because no test makes sense without the machine.
class QemuMachine {
 public:
  // `nodes` are the names of the disks' nodes in QEMU. Each disk's device gets the `device_options`.
  QemuMachine(const std::vector<std::string>& nodes, std::uint64_t size,
              const std::string& device_options = "") {
    if (Process::run({"qemu-system-x86_64", "-version"}) != 0)
      throw std::runtime_error("qemu-system-x86_64 is not installed");
    std::vector<std::string> command{"qemu-system-x86_64", "-accel", "tcg", "-machine", "q35", "-nodefaults",
                                     "-display",           "none",   "-m",  "64",       "-S",  "-object",
                                     "iothread,id=thread"};
    for (const char* monitor : {"qmp", "control"})
      command.insert(command.end(), {"-qmp", "unix:" + (directory_ / monitor) + ",server=on,wait=off"});
    for (const std::string& node : nodes) {
      const std::string file = directory_ / (node + ".img");
      if (Process::run({"qemu-img", "create", "-q", "-f", "qcow2", file, std::to_string(size)}) != 0)
        throw std::runtime_error("qemu-img create failed");
      const std::string device = "vd" + std::to_string(disks_.size());
      command.insert(
          command.end(),
          {"-blockdev",
           "driver=qcow2,discard=unmap,node-name=" + node + ",file.driver=file,file.filename=" + file,
           "-device", "virtio-blk-pci,id=" + device + ",drive=" + node + device_options});
      disks_.push_back({"/machine/peripheral/" + device + "/virtio-backend", Bytes(size)});
    }
    // Two threads of a starting QEMU can accept the same client, and one then waits forever. A new QEMU is
    // started then.
    Result<> connected = boot(command);
    for (int tries = 0; !connected && tries < 5; ++tries) connected = boot(command);
    if (!connected) throw std::runtime_error(connected.error().message);
  }

  std::string qmp() const { return directory_ / "qmp"; }
  // Path of a disk's device in QEMU's tree of objects.
  const std::string& device(std::size_t disk) const { return disks_.at(disk).device; }

  source::qmp::Json tell(const std::string& command,
                         const source::qmp::Json& arguments = source::qmp::Json::object()) {
    auto answer = control_->execute(command, arguments);
    if (!answer) throw std::runtime_error(answer.error().message);
    return *answer;
  }

  void write(std::size_t disk, std::uint64_t offset, ByteView bytes) {
    const std::string source = directory_ / "written";
    std::ofstream(source, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const std::string line =
        fmt::format("qemu-io -d {} \"write -q -s {} {} {}\"", device(disk), source, offset, bytes.size());
    // qemu-io prints errors only.
    const source::qmp::Json said = tell("human-monitor-command", {{"command-line", line}});
    if (said != "") throw std::runtime_error(said.dump());
    std::copy(bytes.begin(), bytes.end(),
              disks_.at(disk).truth.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  void fill(std::size_t disk, std::uint64_t offset, std::uint64_t length, std::uint8_t with) {
    write(disk, offset, Bytes(length, std::byte{with}));
  }
  const Bytes& truth(std::size_t disk) const { return disks_.at(disk).truth; }
  std::vector<Bytes> truths() const {
    std::vector<Bytes> all;
    for (const Disk& disk : disks_) all.push_back(disk.truth);
    return all;
  }

  // Traces that a capture may leave: nodes with their bitmaps, devices with their nodes, exports and jobs.
  source::qmp::Json traces() {
    source::qmp::Json found;
    for (const source::qmp::Json& node : tell("query-named-block-nodes", {{"flat", true}})) {
      source::qmp::Json bitmaps = source::qmp::Json::array();
      for (const source::qmp::Json& bitmap : node.value("dirty-bitmaps", source::qmp::Json::array()))
        if (bitmap.contains("name"))  // bitmaps of filters have no name
          bitmaps.push_back({bitmap["name"], bitmap["recording"], bitmap["busy"]});
      if (const std::string name = node["node-name"]; !name.starts_with('#')) found["nodes"][name] = bitmaps;
    }
    for (const source::qmp::Json& block : tell("query-block"))
      if (block.contains("inserted"))
        found["devices"][block["qdev"].get<std::string>()] = block["inserted"]["node-name"];
    found["exports"] = tell("query-block-exports");
    found["jobs"] = tell("query-jobs");
    return found;
  }

 private:
  struct Disk {
    std::string device;
    Bytes truth;
  };

  Result<> boot(const std::vector<std::string>& command) {
    std::filesystem::remove(directory_ / "control");
    if (process_.started()) process_.end(SIGKILL);
    process_ = Process(command);
    while (process_.runs()) {
      auto client = source::qmp::Client::connect(directory_ / "control", {});
      if (client) {
        control_ = std::move(*client);
        return {};
      }
      if (client.error().code != ENOENT && client.error().code != ECONNREFUSED)
        return tl::make_unexpected(client.error());
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    return fail(ESRCH, "qemu-system-x86_64 has ended");
  }

  TemporaryDirectory directory_;
  std::vector<Disk> disks_;
  Process process_;
  std::unique_ptr<source::qmp::Client> control_;
};

}  // namespace holdfast::test
