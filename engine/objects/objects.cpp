#include "engine/objects/objects.h"

#include "catalog/base/text.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/objects/changes.h"

namespace holdfast {

Result<Id> Objects::find(ObjectKind kind, Id parent, std::string_view name) {
  return services_.catalog.read([&](db::Connection& db) -> Result<Id> {
    HF_TRY(const auto found, kind_of(kind).find(db, parent, name));
    if (!found) return fail(ENOENT, "'{}' is not here", name);
    return *found;
  });
}

Result<std::vector<Named>> Objects::list(ObjectKind kind, Id parent) {
  return services_.catalog.read([&](db::Connection& db) { return kind_of(kind).list(db, parent); });
}

Result<Named> Objects::latest(ObjectKind kind, Id parent) {
  return services_.catalog.read([&](db::Connection& db) -> Result<Named> {
    if (kind == ObjectKind::execution) {
      HF_TRY(const auto latest, Executions(db).latest(parent));
      if (latest) return Named{latest->id, latest->name};
      return fail(ENOENT, "it has never run");
    }
    HF_TRY(const auto newest, Points(db).newest_good(parent));
    if (newest) return Named{newest->id, newest->name};
    return fail(ENOENT, "it has no point yet");
  });
}

Result<Named> Objects::point_at(Id machine, Time when) {
  return services_.catalog.read([&](db::Connection& db) -> Result<Named> {
    HF_TRY(auto found, Points(db).newest_good(machine, when));
    if (found) return std::move(*found);
    HF_TRY(const std::string name, Machines(db).name_of(machine));
    return fail(ENOENT, "machine '{}' has no good point that is not later than {}", name, iso_time(when));
  });
}

Result<std::vector<Named>> Objects::points_of_execution(Id execution) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<Named>> {
    std::vector<Named> made;
    HF_TRY(const auto points, Points(db).of_execution(execution));
    for (const Point& point : points) {
      HF_TRY(std::string machine, Machines(db).name_of(point.machine_id));
      made.push_back({point.id, std::move(machine)});
    }
    return made;
  });
}

Result<Id> Objects::create(ObjectKind kind, std::string_view name, const Caller& caller) {
  const Kind& its = kind_of(kind);
  if (!its.users) return fail(EPERM, "nothing is made here by hand");
  HF_CHECK(check_name(name));
  HF_TRY(const Id id, services_.catalog.write([&](db::Connection& db) -> Result<Id> {
    const Ownership ownership{.uid = caller.uid, .gid = caller.gid};
    HF_TRY(const Id made, its.users->add(db, name, ownership, services_.clock.now()));
    HF_TRY(std::string path, path_of(db, kind, made));
    HF_CHECK(record(
        db, make_event(services_.clock.now(), fmt::format("{}.create", its.word), std::move(path), caller)));
    return made;
  }));
  changes_.announce(kind, id);
  return id;
}

Result<> Objects::rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) {
  const Kind& its = kind_of(kind);
  if (!its.users) return fail(EPERM, "this is not renamed by hand");
  HF_CHECK(check_name(name));
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, kind, id));
    HF_CHECK(its.users->rename(db, id, name, services_.clock.now()));
    Event event =
        make_event(services_.clock.now(), fmt::format("{}.rename", its.word), std::move(path), caller);
    event.reason = name;
    HF_TRY(event.owner, ownership_of(db, kind, id));
    return record(db, event);
  }));
  changes_.announce(kind, id);
  return {};
}

}  // namespace holdfast
