// Machines: retirement, and distrust of change tracking.
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/retention.h"
#include "engine/capture/last_bitmaps.h"
#include "engine/objects/changes.h"
#include "engine/requests/requests.h"
#include "engine/runs/prunings.h"

namespace holdfast {

Result<> Requests::retire(Id machine, std::chrono::seconds keep, const Caller& caller) {
  const std::string span = fmt::format("keep={}s", keep.count());
  HF_CHECK(changes_.apply(
      ObjectKind::machine, machine, "machine.retire", caller, span, [&](db::Connection& db) -> Result<> {
        HF_CHECK(Retention(db).set_retirement(machine, Retention::Retired{services_.clock.now(), keep}));
        HF_TRY(const Machine retired, Machines(db).get(machine));
        return capture::give_up_unwanted(db, retired);
      }));
  services_.left_behind.add(machine);
  prunings_.judge(machine);
  return {};
}

Result<> Requests::unretire(Id machine, const Caller& caller) {
  return changes_.apply(ObjectKind::machine, machine, "machine.unretire", caller, "",
                        [&](db::Connection& db) -> Result<> {
                          HF_TRY(const auto retired, Retention(db).retirement(machine));
                          if (!retired) return fail(EINVAL, "the machine is not retired");
                          return Retention(db).set_retirement(machine, std::nullopt);
                        });
}

// A running capture has already chosen its parent and would rest on untrusted changes, hence EBUSY.
Result<> Requests::reset_cbt(Id machine, const Caller& caller) {
  HF_TRY(const std::string path, services_.catalog.read([&](db::Connection& db) {
    return path_of(db, ObjectKind::machine, machine);
  }));
  if (!runner_.claim(machine))
    return fail(EBUSY, "{} is being worked on; try again when that has ended", path);
  const auto done = changes_.apply(ObjectKind::machine, machine, "machine.reset-cbt", caller, "",
                                   [&](db::Connection& db) -> Result<> {
                                     HF_CHECK(Points(db).reset_cbt(machine));
                                     return Machines(db).touch(machine);
                                   });
  runner_.release(machine);
  return done;
}

}  // namespace holdfast
