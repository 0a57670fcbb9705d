#include "catalog/stores/collections.h"

#include "catalog/stores/definition_changes.h"
#include "catalog/stores/row.h"

namespace holdfast {

Result<Ownership> Collections::get(DefinitionKind kind) {
  static constexpr Ownership kRoots{.uid = 0, .gid = 0, .mode = 0755};
  HF_TRY(auto found, db_.prepare("SELECT uid, gid, mode FROM collections WHERE kind = :kind"));
  HF_TRY(const auto ownership, first_row(found.bind(":kind", to_word(kind)), read_ownership));
  return ownership.value_or(kRoots);
}

Result<> Collections::set(DefinitionKind kind, const Ownership& ownership, Time now) {
  HF_TRY(auto put, db_.prepare(R"sql(
    INSERT INTO collections (kind, uid, gid, mode, changed_at) VALUES (:kind, :uid, :gid, :mode, :now)
    ON CONFLICT (kind) DO UPDATE
    SET uid = excluded.uid, gid = excluded.gid, mode = excluded.mode, changed_at = excluded.changed_at)sql"));
  HF_CHECK(put.bind(":kind", to_word(kind))
               .bind(":uid", ownership.uid)
               .bind(":gid", ownership.gid)
               .bind(":mode", ownership.mode)
               .bind(":now", milliseconds(now))
               .run());
  return DefinitionChanges(db_).note(DefinitionKind::collections, to_word(DefinitionKind::collections));
}

}  // namespace holdfast
