#include "catalog/stores/handing_over.h"

#include <algorithm>

#include "catalog/stores/copies.h"
#include "catalog/stores/layers.h"
#include "catalog/stores/points.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

// Finds the point whose layer it is, among all that lay there.
Result<std::optional<Id>> owner_of(db::Connection& db, const Layer& layer) {
  HF_TRY(auto found, db.prepare(R"sql(
    SELECT point_id FROM point_disks WHERE disk_id = :disk AND layer_id = :layer
    UNION ALL SELECT copies.point_id FROM copy_disks JOIN copies ON copies.id = copy_disks.copy_id
    WHERE copy_disks.disk_id = :disk AND copy_disks.layer_id = :layer)sql"));
  return first_row(found.bind(":disk", layer.disk_id).bind(":layer", layer.id), read_id);
}

std::optional<std::string_view> why_full(PointKind kind, std::optional<FullReason> known) {
  if (kind == PointKind::incremental) return std::nullopt;
  return to_word(known.value_or(FullReason::no_parent));
}

// The disk shows what lay in the copy; the point that its layer rests on is returned.
Result<std::optional<Id>> take_layer(db::Connection& db, const PointDisk& disk, const CopyDisk& copied) {
  Points points(db);
  HF_TRY(const Layer layer, points.layer(copied.layer_id));
  const PointKind kind = layer.parent_layer_id ? PointKind::incremental : PointKind::full;
  // No capture takes up from it.
  HF_TRY(auto update, db.prepare(R"sql(
    UPDATE point_disks
    SET layer_id = :layer, bytes_stored = :bytes, sums_sha256 = :sums, kind = :kind, full_reason = :reason,
        change_id = NULL, content_sha256 = NULL
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":layer", copied.layer_id)
               .bind(":bytes", number(copied.bytes_stored))
               .bind(":sums", or_null(copied.sums_sha256))
               .bind(":kind", to_word(kind))
               .bind(":reason", why_full(kind, disk.full_reason))
               .bind(":id", disk.id)
               .run());
  if (!layer.parent_layer_id) return std::nullopt;
  HF_TRY(const Layer below, points.layer(*layer.parent_layer_id));
  return owner_of(db, below);
}

Result<> leave_layer(db::Connection& db, const CopyDisk& copied, const PointDisk& disk) {
  HF_TRY(auto update, db.prepare(R"sql(
    UPDATE copy_disks SET layer_id = :layer, bytes_stored = :bytes, sums_sha256 = :sums WHERE id = :id)sql"));
  HF_CHECK(update.bind(":layer", disk.layer_id)
               .bind(":bytes", number(disk.bytes_stored))
               .bind(":sums", or_null(disk.sums_sha256))
               .bind(":id", copied.id)
               .run());
  return {};
}

// The copy takes the place where the point was, and is on its way out.
Result<> leave_place(db::Connection& db, const Copy& copy, const Point& point) {
  HF_TRY(auto update, db.prepare(R"sql(
    UPDATE copies
    SET repository_id = :repository, chain_id = :chain, kind = :kind, bytes_stored = :bytes, damaged = 0,
        sequence = :sequence, state = 'retired'
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":repository", point.repository_id)
               .bind(":chain", point.chain_id)
               .bind(":kind", to_word(point.kind))
               .bind(":bytes", number(point.bytes_stored))
               .bind(":sequence", point.sequence)
               .bind(":id", copy.id)
               .run());
  return {};
}

// The copy was verified when it was carried, or found damaged since.
Result<> take_place(db::Connection& db, const Point& point, const Copy& copy, std::optional<Id> parent) {
  const PointKind kind = parent ? PointKind::incremental : PointKind::full;
  HF_TRY(auto update, db.prepare(R"sql(
    UPDATE points
    SET repository_id = :repository, chain_id = :chain, parent_point_id = :parent, kind = :kind,
        full_reason = :reason, bytes_stored = :bytes, sequence = :sequence, flow_id = :flow, carried = 1, verified_at = :at,
        verified_level = :level, verified_result = :result, revision = :revision
    WHERE id = :id)sql"));
  HF_CHECK(update.bind(":repository", copy.repository_id)
               .bind(":chain", copy.chain_id)
               .bind(":parent", parent)
               .bind(":kind", to_word(kind))
               .bind(":reason", why_full(kind, point.full_reason))
               .bind(":bytes", number(copy.bytes_stored))
               .bind(":sequence", copy.sequence)
               .bind(":flow", copy.flow_id)
               .bind(":at", milliseconds(copy.created_at))
               .bind(":level", to_word(VerifyLevel::checksums))
               .bind(":result", to_word(copy.damaged ? VerdictResult::bad : VerdictResult::good))
               .bind(":revision", new_id())
               .bind(":id", point.id)
               .run());
  return {};
}

}  // namespace

Result<std::optional<Copy>> heir_of(db::Connection& db, const Point& point) {
  HF_TRY(const auto copies, Copies(db).of_point(point.id));
  if (copies.empty()) return std::nullopt;
  const auto whole = std::ranges::find(copies, false, &Copy::damaged);
  return whole == copies.end() ? copies.front() : *whole;
}

Result<> hand_over(db::Connection& db, const Point& point, const Copy& copy, Time now) {
  if (copy.disks.size() != point.disks.size())
    return fail(EINVAL, "the copy of point '{}' has {} disks, not {}", point.name, copy.disks.size(),
                point.disks.size());
  std::optional<Id> parent;
  for (const CopyDisk& copied : copy.disks) {
    const auto disk = std::ranges::find(point.disks, copied.disk_id, &PointDisk::disk_id);
    if (disk == point.disks.end())
      return fail(EINVAL, "the copy of point '{}' has a disk that the point hasn't", point.name);
    HF_TRY(const auto below, take_layer(db, *disk, copied));
    if (!parent) parent = below;
    HF_CHECK(leave_layer(db, copied, *disk));
  }
  HF_CHECK(leave_place(db, copy, point));
  HF_CHECK(take_place(db, point, copy, parent));
  HF_CHECK(count_in_repository(db, point.repository_id, -1, 0, now));
  return count_in_machine(db, point.machine_id, 0, number(copy.bytes_stored) - number(point.bytes_stored),
                          now);
}

Result<> leave_to_heir(db::Connection& db, const Point& point, Time now) {
  HF_TRY(const auto heir, heir_of(db, point));
  if (heir) return hand_over(db, point, *heir, now);
  HF_TRY(auto update, db.prepare(R"sql(
    UPDATE points SET state = 'retired', revision = :revision, told_revision = :revision WHERE id = :id)sql"));
  HF_CHECK(update.bind(":revision", new_id()).bind(":id", point.id).run());
  // The bytes stay counted until its layers go.
  return count_points(db, point, -1, 0, now);
}

}  // namespace holdfast
