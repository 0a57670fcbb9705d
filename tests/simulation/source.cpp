// Laws 3, 4 and 8 at the source, as the driver of QEMU keeps them.
#include "tests/simulation/source.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "engine/sources/inside.h"
#include "engine/sources/qmp/fields.h"
#include "tests/simulation/threads.h"
#include "tests/simulation/world.h"

namespace holdfast::simulation {
namespace {

using source::Cancel;
using source::Extent;
using source::FrozenDisk;
using source::Ledger;
using source::PointFate;
using source::Range;

Result<std::size_t> machine_of(const MachineDefinition& definition) {
  HF_TRY(const auto fields, source::qmp::fields_of(definition));
  return static_cast<std::size_t>(fields.socket.back() - '0');
}

// A command to the source: another thread may go on meanwhile, and the source may hang, refuse or break off.
Result<> ask(SourceMachine& machine, const char* what) {
  constexpr std::int64_t kAnswer = 20'000'000;  // nanoseconds
  threads::sleep_for(static_cast<std::int64_t>(world().order.threads.below(kAnswer)));
  note(world().order, what, static_cast<std::uint64_t>(&machine - world().machines.data()), 0);
  const std::int64_t until = world().order.now + 40'000'000'000;
  while (world().order.now < machine.hangs_until) {
    threads::wait(&machine, std::min(until, machine.hangs_until));
    if (world().order.now >= until) return fail(ETIMEDOUT, "the source does not answer");
  }
  if (world().order.now < machine.refuses_until) return fail(ECONNREFUSED, "the source is away");
  if (machine.breaks > 0 && world().order.story.below(1000) < machine.breaks)
    return fail(ECONNRESET, "the source has closed the connection");
  return {};
}

Bitmap* find(SourceDisk& disk, std::string_view name) {
  const auto found =
      std::ranges::find_if(disk.bitmaps, [&](const Bitmap& each) { return each.name.view() == name; });
  return name.empty() || found == disk.bitmaps.end() ? nullptr : &*found;
}

void remove_bitmap(SourceMachine& machine, std::string_view name) {
  for (SourceDisk& disk : machine.disks)
    if (Bitmap* const bitmap = find(disk, name)) *bitmap = Bitmap{};
}

Thing* find_thing(SourceMachine& machine, std::string_view name) {
  const auto found =
      std::ranges::find_if(machine.things, [&](const Thing& each) { return each.name.view() == name; });
  return found == machine.things.end() ? nullptr : &*found;
}

Result<> make_thing(SourceMachine& machine, const std::string& name) {
  HF_CHECK(ask(machine, "make"));
  Thing* const free = find_thing(machine, "");
  if (free == nullptr) return fail(ENOMEM, "the source can hold no more exports");
  *free = Thing{};
  free->name.set(name);
  free->since = world().order.now;
  return {};
}

struct Ids {
  std::string since, supersedes;
};

std::string print(const Ids& ids) {
  return nlohmann::json{{"since", ids.since}, {"supersedes", ids.supersedes}}.dump();
}

Ids ids_of(const Leftover& leftover) {
  const auto detail = nlohmann::json::parse(leftover.detail);
  return {detail.at("since"), detail.at("supersedes")};
}

// Law 3: an aborted run gives its changes back to the parent's bitmap.
void give_back(SourceMachine& machine, const Leftover& leftover) {
  const Ids ids = ids_of(leftover);
  for (SourceDisk& disk : machine.disks) {
    Bitmap* const ours = find(disk, leftover.name);
    Bitmap* const parent = find(disk, ids.since);
    if (ours == nullptr) continue;
    if (parent != nullptr && !parent->inconsistent && !ours->inconsistent) {
      parent->dirty = world().off == Off::bitmaps ? ours->dirty : parent->dirty | ours->dirty;
      parent->records = true;
    }
    *ours = Bitmap{};
  }
}

// Removes what is named, the newest first. What can't be removed now stays.
Result<> undo(SourceMachine& machine, std::vector<Leftover>& made, PointFate fate, Ledger& ledger) {
  Result<> first;
  std::vector<Leftover> stay;
  while (!made.empty()) {
    const Leftover leftover = std::move(made.back());
    made.pop_back();
    Result<> gone = ask(machine, "undo");
    if (gone && leftover.kind == LeftoverKind::bitmap) {
      if (fate == PointFate::unknown) {
        stay.push_back(leftover);
        continue;
      }
      if (fate == PointFate::committed)
        for (const std::string& name : {ids_of(leftover).since, ids_of(leftover).supersedes})
          remove_bitmap(machine, name);
      else
        give_back(machine, leftover);
    } else if (gone) {
      if (Thing* const thing = find_thing(machine, leftover.name)) *thing = Thing{};
    }
    if (gone) gone = ledger.forget(leftover.id);
    if (gone) continue;
    if (first) first = gone;
    stay.push_back(leftover);
  }
  std::ranges::reverse(stay);
  made = std::move(stay);
  return first;
}

// A disk as it was at the freeze.
class FrozenContent final : public source::DiskReader {
 public:
  FrozenContent(SourceMachine& machine, std::string name, const Content& content, std::uint64_t changed)
      : machine_(machine),
        starts_(machine.starts),
        name_(std::move(name)),
        content_(content),
        changed_(changed) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override {
    HF_CHECK(source::check_inside(Range{offset, length}, content_.blocks * kBlock, name_));
    HF_CHECK(still_there("extents"));
    std::vector<Extent> found;
    for (std::uint64_t at = offset; at < offset + length;) {
      const std::uint64_t block = at / kBlock;
      const std::uint64_t end = std::min(offset + length, (block + 1) * kBlock);
      const bool zero = content_.writes[block] == 0;
      const bool changed = (changed_ >> block & 1) != 0;
      if (!found.empty() && found.back().zero == zero && found.back().changed == changed)
        found.back().length += end - at;
      else
        found.push_back({.offset = at, .length = end - at, .zero = zero, .changed = changed});
      at = end;
    }
    return found;
  }

  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override {
    HF_CHECK(source::check_inside(ranges, content_.blocks * kBlock, name_));
    Bytes piece;
    for (const Range& range : ranges) {
      for (std::uint64_t at = range.offset; at < range.offset + range.length;) {
        if (cancel.requested()) return fail(ECANCELED, "cancelled");
        HF_CHECK(still_there("read"));
        const std::uint64_t end =
            std::min(range.offset + range.length, (at / kMostOfAPiece + 1) * std::uint64_t{kMostOfAPiece});
        piece.resize(end - at);
        for (std::uint64_t from = at; from < end;) {
          const std::uint64_t block = from / kBlock, until = std::min(end, (block + 1) * kBlock);
          Bytes whole(kBlock);
          fill(whole, content_.writes[block]);
          std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(from % kBlock), until - from,
                      piece.begin() + static_cast<std::ptrdiff_t>(from - at));
          from = until;
        }
        HF_CHECK(sink(at, piece));
        at = end;
      }
    }
    return {};
  }

 private:
  Result<> still_there(const char* what) {
    HF_CHECK(ask(machine_, what));
    if (machine_.starts != starts_) return fail(ECONNRESET, "the source was started anew");
    return {};
  }

  SourceMachine& machine_;
  const std::uint64_t starts_;
  const std::string name_;
  const Content content_;
  const std::uint64_t changed_;
};

class FrozenMachine final : public source::Capture {
 public:
  FrozenMachine(SourceMachine& machine, Ledger& ledger) : machine_(machine), ledger_(ledger) {}

  Result<> make(const source::PrepareRequest& request) {
    HF_CHECK(ask(machine_, "connect"));
    for (std::size_t i = 0; i < request.disks.size(); ++i)
      HF_CHECK(plan(i, request.disks[i], request.repository_marker));
    for (const FrozenDisk& disk : disks_) {
      HF_CHECK(record(LeftoverKind::node, disk.change_id + "-node", "{}"));
      HF_CHECK(make_thing(machine_, disk.change_id + "-node"));
    }
    for (std::size_t i = 0; i < disks_.size(); ++i)
      HF_CHECK(record(LeftoverKind::bitmap, disks_[i].change_id, print(ids_[i])));
    HF_CHECK(ask(machine_, "freeze"));
    HF_CHECK(freeze());
    for (const FrozenDisk& disk : disks_) {
      HF_CHECK(record(LeftoverKind::nbd_export, disk.change_id + "-export", "{}"));
      HF_CHECK(make_thing(machine_, disk.change_id + "-export"));
    }
    return {};
  }

  Time frozen_at() const override { return frozen_at_; }
  Consistency consistency() const override { return Consistency::crash; }
  const std::vector<FrozenDisk>& disks() const override { return disks_; }
  Result<std::unique_ptr<source::DiskReader>> open(std::size_t disk) override {
    HF_CHECK(ask(machine_, "open"));
    return std::make_unique<FrozenContent>(machine_, disks_[disk].name, contents_[disk], changed_[disk]);
  }
  Result<> commit() override { return undo(machine_, made_, PointFate::committed, ledger_); }
  Result<> abandon() override { return undo(machine_, made_, PointFate::failed, ledger_); }

 private:
  // Law 5: a disk falls back to a full where its bitmap does not tell all.
  Result<> plan(std::size_t number, const source::DiskRequest& request, const std::string& marker) {
    SourceDisk& disk = machine_.disks[number];
    FrozenDisk frozen;
    frozen.name = request.name;
    Dice& names = world().order.names;
    frozen.change_id = fmt::format("hf-{}-{:016x}", marker, names.next());
    std::string since = request.since;
    const Bitmap* const bitmap = find(disk, since);
    if (!since.empty() && bitmap == nullptr)
      frozen.full_reason = FullReason::bitmap_missing;
    else if (bitmap != nullptr && bitmap->inconsistent)
      frozen.full_reason = FullReason::bitmap_inconsistent;
    else if (bitmap != nullptr && !bitmap->records)
      frozen.full_reason = FullReason::bitmap_unusable;
    else if (request.last_capacity && *request.last_capacity != disk.content.blocks * kBlock)
      frozen.full_reason = FullReason::capacity_changed;
    else if (since.empty())
      frozen.full_reason = FullReason::no_parent;
    if (frozen.full_reason) since.clear();
    ids_.push_back({since, request.supersedes});
    disks_.push_back(std::move(frozen));
    return {};
  }

  // Law 4: all disks are one instant.
  Result<> freeze() {
    World& all = world();
    std::vector<Bitmap*> fresh;
    for (std::size_t i = 0; i < disks_.size(); ++i) {
      Bitmap* free = nullptr;
      for (Bitmap& each : machine_.disks[i].bitmaps)
        if (each.name.view().empty() && std::ranges::find(fresh, &each) == fresh.end()) free = &each;
      if (free == nullptr) return fail(ENOSPC, "the image can hold no more bitmaps");
      fresh.push_back(free);
    }
    if (all.freezes == all.frozen.size()) return fail(ENOMEM, "the world remembers no more freezes");
    Freeze& record = all.frozen[all.freezes++];
    record.machine = static_cast<std::size_t>(&machine_ - all.machines.data());
    for (std::size_t i = 0; i < disks_.size(); ++i) {
      record.change_ids[i].set(disks_[i].change_id);
      record.contents[i] = machine_.disks[i].content;
    }
    for (std::size_t i = 0; i < disks_.size(); ++i) {
      SourceDisk& disk = machine_.disks[i];
      if (all.off == Off::instants && i > 0) guest_writes(machine_);
      contents_.push_back(disk.content);
      std::uint64_t changed = ~0ULL;
      if (Bitmap* const parent = find(disk, ids_[i].since)) {
        changed = parent->dirty;
        for (unsigned block = 0; machine_.lies && block + 1 < disk.content.blocks; block += 2)
          if (disk.content.writes[block] == 0 && disk.content.writes[block + 1] == 0)
            changed &= ~(3ULL << block);
      }
      fresh[i]->name.set(disks_[i].change_id);
      fresh[i]->records = true;
      changed_.push_back(changed);
      disks_[i].capacity = disk.content.blocks * kBlock;
    }
    // The engine names points by their instant.
    frozen_at_ = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    note(all.order, "frozen", record.machine, all.freezes);
    return {};
  }

  Result<> record(LeftoverKind kind, const std::string& name, const std::string& detail) {
    HF_TRY(const Id id, ledger_.record(kind, name, detail));
    made_.push_back({.id = id, .kind = kind, .name = name, .detail = detail});
    return {};
  }

  SourceMachine& machine_;
  Ledger& ledger_;
  Time frozen_at_{};
  std::vector<FrozenDisk> disks_;
  std::vector<Ids> ids_;
  std::vector<Content> contents_;
  std::vector<std::uint64_t> changed_;
  std::vector<Leftover> made_;
};

class ModelDriver final : public source::Driver {
 public:
  Result<std::unique_ptr<source::Capture>> prepare(const source::PrepareRequest& request,
                                                   Ledger& ledger) override {
    HF_TRY(const std::size_t machine, machine_of(request.machine));
    auto capture = std::make_unique<FrozenMachine>(world().machines[machine], ledger);
    if (auto made = capture->make(request); !made) {
      static_cast<void>(capture->abandon());  // the rest stays recorded
      return tl::make_unexpected(std::move(made).error());
    }
    return capture;
  }

  Result<> sweep(const MachineDefinition& definition, std::span<const Leftover> leftovers, PointFate fate,
                 Ledger& ledger) override {
    HF_TRY(const std::size_t machine, machine_of(definition));
    std::vector<Leftover> made(leftovers.begin(), leftovers.end());
    return undo(world().machines[machine], made, fate, ledger);
  }

  Result<std::vector<HostName>> host_names(const MachineDefinition&) override {
    return std::vector<HostName>{};
  }

  Result<std::vector<Discovered>> discover(const MachineDefinition&) override {
    return std::vector<Discovered>{};
  }
};

}  // namespace

source::Driver& model_driver() {
  static ModelDriver driver;
  return driver;
}

}  // namespace holdfast::simulation
