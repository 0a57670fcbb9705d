// Capacity: the space of the file systems of all repositories that one reader may see. No file system is
// asked, because one that hangs must not block `df`.
#include <set>

#include "catalog/model/rights.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/repositories.h"
#include "engine/common/services.h"
#include "engine/repository/shelf.h"
#include "engine/status/status.h"

namespace holdfast {

Result<CapacityView> Status::capacity_for(db::Connection& db, const Caller& reader) {
  CapacityView all;
  HF_TRY(const Ownership collection, Collections(db).get(DefinitionKind::repository));
  if (!may_see(reader, collection)) return all;
  Repositories repositories(db);
  HF_TRY(const auto named, repositories.list());
  std::set<std::uint64_t> counted;  // file systems
  for (const Named& one : named) {
    HF_TRY(const Ownership owner, repositories.ownership(one.id));
    if (!may_see(reader, owner)) continue;
    HF_TRY(const auto usage, repositories.usage(one.id));
    all.used_bytes += usage.bytes_stored;
    const auto space = services_.shelf.space(one.id);
    if (!space || !counted.insert(space->device).second) continue;
    all.capacity_bytes = all.capacity_bytes.value_or(0) + space->bytes.capacity;
    all.free_bytes = all.free_bytes.value_or(0) + space->bytes.free;
  }
  return all;
}

Result<CapacityView> Status::capacity(const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) { return capacity_for(db, reader); });
}

}  // namespace holdfast
