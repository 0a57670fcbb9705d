#include "engine/sources/qmp/driver.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "engine/sources/qmp/capture.h"
#include "engine/sources/qmp/disk_plan.h"
#include "engine/sources/qmp/fields.h"
#include "engine/sources/qmp/off_machine.h"
#include "engine/sources/qmp/threads.h"
#include "engine/sources/qmp/undo.h"

namespace holdfast::source::qmp {
namespace {

// True if no process listens any more: the things it held ended with it, and its bitmaps are where the
// machine is now.
bool is_deserted(const std::string& socket, const Limits& limits) {
  const auto reached = Monitor::at(socket, limits)->connect();
  return !reached && OffMachine::may_be_off(reached.error());
}

// Whether the machine is to be read from its images. The error of its socket, if it can't be read at all.
Result<bool> is_off(Monitor& monitor, const MachineDefinition& machine) {
  const auto reached = monitor.connect();
  if (reached) return false;
  if (!OffMachine::may_be_off(reached.error())) return tl::make_unexpected(reached.error());
  HF_TRY(const bool readable, OffMachine::has_images(machine));
  if (readable) return true;
  return fail(reached.error().code,
              "{} (to read a machine that is off, give each of its disks a \"path\" and a \"format\")",
              reached.error().message);
}

}  // namespace

Result<std::unique_ptr<Capture>> QmpDriver::prepare(const PrepareRequest& request, Ledger& ledger) {
  if (request.disks.empty()) return fail(EINVAL, "the machine has no disks to back up");
  HF_TRY(const MachineFields own, fields_of(request.machine));
  const auto monitor = Monitor::at(own.socket, limits_);
  HF_TRY(const bool off, is_off(*monitor, request.machine));
  const nbd::Limits nbd_limits = nbd_limits_.ended_by(request.cancel);
  if (off) return OffMachine::open(request, nbd_limits);
  HF_TRY(const Nodes nodes, Nodes::of(*monitor));
  std::vector<DiskPlan> plans;
  for (const DiskRequest& disk : request.disks) {
    HF_TRY(DiskPlan plan, plan_disk(disk, nodes, monitor->socket(), request.cancel));
    const auto twin = std::ranges::find(plans, plan.node, &DiskPlan::node);
    if (twin != plans.end())
      return fail(EINVAL, "disks {} and {} are the same block node, {}", twin->name, plan.name, plan.node);
    plans.push_back(std::move(plan));
  }
  std::vector<std::string> disk_nodes;
  for (const DiskPlan& plan : plans) disk_nodes.push_back(plan.node);
  HF_CHECK(check_threads(*monitor, disk_nodes));
  PrepareRequest absolute = request;  // QEMU has another working directory
  std::error_code failed;
  absolute.scratch = std::filesystem::absolute(request.scratch, failed).lexically_normal().string();
  if (failed) return fail(failed.value(), "scratch directory '{}': {}", request.scratch, failed.message());
  HF_TRY(auto capture, FrozenMachine::freeze(monitor, absolute, std::move(plans), nbd_limits, ledger));
  return capture;
}

Result<> QmpDriver::sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers,
                          PointFate fate, Ledger& ledger) {
  // The machine may have another driver by now; the records then tell where its things are.
  std::string own_socket;
  if (const auto own = fields_of(machine); own && machine.driver == "qmp") own_socket = own->socket;
  std::map<std::string, std::vector<Leftover>> by_socket;
  for (const Leftover& leftover : leftovers) {
    const std::string recorded = socket_of(leftover);
    by_socket[recorded.empty() ? own_socket : recorded].push_back(leftover);
  }
  Result<> first;
  for (auto& [socket, made] : by_socket) {
    std::ranges::sort(made, {}, &Leftover::id);
    const bool has_moved = !own_socket.empty() && is_deserted(socket, limits_);
    const auto monitor = Monitor::at(has_moved ? own_socket : socket, limits_);
    const auto undone = undo(*monitor, made, fate, ledger);
    if (first && !undone) first = undone;
  }
  return first;
}

std::optional<std::string> QmpDriver::detail_of_unwanted(const MachineDefinition& machine) {
  const auto own = fields_of(machine);
  return own ? std::optional{detail_of(own->socket)} : std::nullopt;
}

Result<std::vector<Driver::HostName>> QmpDriver::host_names(const MachineDefinition& machine) {
  HF_TRY(MachineFields own, fields_of(machine));
  std::vector<HostName> names{{std::move(own.socket)}};
  for (const DiskDefinition& disk : machine.disks) {
    HF_TRY(const DiskFields its, fields_of(disk));
    if (its.path)
      names.push_back(
          {*its.path, [image = its.image()](ByteView start) { return file::check_format(image, start); }});
  }
  return names;
}

Result<std::vector<Driver::Discovered>> QmpDriver::discover(const MachineDefinition& machine) {
  HF_TRY(const MachineFields own, fields_of(machine));
  const auto monitor = Monitor::at(own.socket, limits_);
  HF_TRY(const bool off, is_off(*monitor, machine));
  std::vector<Discovered> found;
  if (off) {
    for (const DiskDefinition& disk : machine.disks) {
      HF_TRY(const DiskFields its, fields_of(disk));
      found.push_back(file::discover_in(
          disk.name, its.image(),
          "the machine is off: its image is read, by the last point's bitmap if that is sound"));
    }
    return found;
  }
  HF_TRY(const Nodes nodes, Nodes::of(*monitor));
  for (const DiskDefinition& disk : machine.disks) {
    const auto plan = plan_disk(DiskRequest{disk}, nodes, monitor->socket(), nullptr);
    if (plan) {
      const Node& node = *nodes.find(plan->node);
      auto& one = found.emplace_back(
          Discovered{plan->name, plan->capacity, true, why_not_persistent(node, nodes.peer())});
      for (const Bitmap& bitmap : node.bitmaps)
        if (bitmap.recording && !bitmap.busy && !bitmap.inconsistent) one.change_ids.push_back(bitmap.name);
    } else {
      found.push_back({disk.name, 0, false, plan.error().message});
    }
  }
  return found;
}

}  // namespace holdfast::source::qmp
