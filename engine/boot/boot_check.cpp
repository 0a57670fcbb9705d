#include "engine/boot/boot_check.h"

#include <list>

#include "catalog/base/log.h"
#include "catalog/stores/boot_checks.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "engine/boot/accelerator.h"
#include "engine/boot/nbd_export.h"
#include "engine/boot/point_disks.h"
#include "engine/boot/watch.h"
#include "engine/common/audit.h"
#include "engine/repository/facts.h"

namespace holdfast::boot {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t kMostWritten = 2 * kGiB;  // by a guest, to all of its disks
constexpr std::chrono::seconds kSlowRead{10};     // a read that takes longer shows that the repository hangs

// The disks of a point, served to one QEMU.
class ServedDisks {
 public:
  ServedDisks(PointDisks disks, std::unique_ptr<Scratch> scratch)
      : point_(std::move(disks)), scratch_(std::move(scratch)) {}

  Result<> serve(ProgressMeter& progress) {
    for (const PointDisks::Disk& disk : point_.disks) {
      const auto read = [&stack = *disk.stack](std::uint64_t offset, ByteSpan into) {
        return stack.read(offset, into);
      };
      HF_TRY(exports_.emplace_back(),
             NbdExport::start(disks_.emplace_back(read, disk.stack->size(), *scratch_), progress));
    }
    return {};
  }

  std::vector<int> clients() const {
    std::vector<int> all;
    for (const auto& each : exports_) all.push_back(each->client().get());
    return all;
  }
  void give_clients_away() {
    for (const auto& each : exports_) each->give_client_away();
  }

  // Returns success if each disk has answered all requests so far.
  Result<> check() const {
    for (std::size_t i = 0; i < exports_.size(); ++i) {
      const std::string& name = point_.disks[i].name;
      if (const auto failure = exports_[i]->failure()) return within(*failure, "{}", name);
      if (exports_[i]->busy_for() > kSlowRead)
        return fail(ETIMEDOUT, "{}: a read has no answer; the repository hangs", name);
    }
    return {};
  }

 private:
  const PointDisks point_;
  const std::unique_ptr<Scratch> scratch_;
  std::list<GuestDisk> disks_;
  std::vector<std::unique_ptr<NbdExport>> exports_;  // after the disks, which they use
};

struct Subject {
  Point point;
  Repository repository;
  std::string path;  // "machines/m/points/T"
  std::uint64_t scratch_reserve = 0;
};

Result<Subject> subject_of(db::Connection& db, Id id) {
  Subject subject;
  HF_TRY(subject.point, Points(db).get(id));
  HF_TRY(subject.repository, Repositories(db).get(subject.point.repository_id));
  HF_TRY(const std::string machine, Machines(db).name_of(subject.point.machine_id));
  subject.path = fmt::format("machines/{}/points/{}", machine, subject.point.name);
  HF_TRY(const Settings settings, SettingsStore(db).get());
  subject.scratch_reserve = settings.definition.scratch_reserve;
  return subject;
}

struct Attempt {
  BootCheck check;
  std::string screenshot;
};

Result<Attempt> attempt(const capture::Services& services, const BootRequest& request, const Subject& subject,
                        ProgressMeter& progress, const source::Cancel& cancel) {
  HF_TRY(auto scratch, Scratch::open(services.scratch, kMostWritten, subject.scratch_reserve));
  HF_TRY(auto disks, open_disks(services, request.point));
  HF_TRY(const Accelerator accelerator, fastest_accelerator(services.scratch, cancel));
  ServedDisks served(std::move(disks), std::move(scratch));
  HF_CHECK(served.serve(progress));
  const auto begun = Steady::now();
  HF_TRY(const auto guest,
         Guest::start({.accelerator = accelerator, .bus = request.bus, .disks = served.clients()}));
  served.give_clients_away();
  HF_TRY(const std::string trouble,
         Watch(*guest, request.expect, request.timeout, progress, cancel).outcome());
  if (!trouble.empty()) HF_CHECK(served.check());
  Attempt made{.check = {.point_id = request.point,
                         .at = services.clock.now(),
                         .result = trouble.empty() ? VerdictResult::good : VerdictResult::bad,
                         .reason = trouble,
                         .expect = print_boot_expect(request.expect),
                         .accelerator = accelerator,
                         .took = std::chrono::ceil<std::chrono::milliseconds>(Steady::now() - begun)},
               .screenshot = {}};
  HF_TRY(made.screenshot, guest->screenshot());
  if (made.screenshot.size() > repository::kLargestScreenshot) {
    log::warning("{}: the picture of its screen has {} bytes, and is not kept", subject.path,
                 made.screenshot.size());
    made.screenshot.clear();
  }
  return made;
}

Result<> store(const capture::Services& services, const Subject& subject, const Attempt& made) {
  return services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(BootChecks(db).set(made.check, made.screenshot));
    Event event = make_event(made.check.at, "point.boot-check", subject.path, {});
    event.result = made.check.reason.empty() ? EventResult::ok : EventResult::failed;
    event.reason = made.check.reason.empty() ? made.check.expect : made.check.reason;
    return record(db, event);
  });
}

}  // namespace

Result<BootCheck> check_boot(const capture::Services& services, const BootRequest& request,
                             ProgressMeter& progress, const source::Cancel& cancel) {
  HF_TRY(const Subject subject,
         services.catalog.read([&](db::Connection& db) { return subject_of(db, request.point); }));
  HF_TRY(const Attempt made, attempt(services, request, subject, progress, cancel));
  HF_CHECK(store(services, subject, made));
  repository::tell_facts_if_able(services.catalog, services.shelf.place(subject.repository),
                                 subject.repository.id, request.point);
  return made.check;
}

}  // namespace holdfast::boot
