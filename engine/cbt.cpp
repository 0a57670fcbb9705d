// What a machine's source tells of changes, no longer believed.
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/live_engine.h"

namespace holdfast {

// A run that is under way has chosen its parent already: its point would rest on what is not to be trusted.
Result<> LiveEngine::reset_cbt(Id machine, const Caller& caller) {
  HF_TRY(const std::string path, this->path(ObjectKind::machine, machine));
  if (!runner_.claim(machine))
    return fail(EBUSY, "{} is being worked on; try again when that has ended", path);
  const auto done = change(ObjectKind::machine, machine, "machine.reset-cbt", caller, "",
                           [&](db::Connection& db) -> Result<> {
                             HF_CHECK(Points(db).reset_cbt(machine));
                             return Machines(db).touch(machine);
                           });
  runner_.release(machine);
  return done;
}

}  // namespace holdfast
