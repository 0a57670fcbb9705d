// Rows of the table that name points by a time, a number or a machine. They list all objects: the tree leaves
// out those that the asker may not know of.
#include "catalog/base/when.h"
#include "fsd/tree/row_makers.h"

namespace holdfast::tree {
namespace {

// Finds a point by its name, by `latest`, or by a time.
Result<Id> find_point(Engine& engine, Id machine, std::string_view name, Time now) {
  if (const auto found = engine.objects().find(ObjectKind::point, machine, name)) return *found;
  if (name == "latest") {
    HF_TRY(const Named newest, engine.objects().latest(ObjectKind::point, machine));
    return newest.id;
  }
  const auto when = parse_when(name, now);
  if (!when) return fail(ENOENT, "there is no point '{}', and it is no time either", name);
  HF_TRY(const Named point, engine.objects().point_at(machine, *when));
  return point.id;
}

}  // namespace

Result<Meaning> point_at(Engine& engine, const TreeNode& directory, std::string_view when, Time now) {
  HF_TRY(const Time time, parse_when(when, now));
  HF_TRY(const Named point, engine.objects().point_at(directory.object, time));
  return Meaning{point.id};
}

Result<Meaning> two_points(Engine& engine, const TreeNode& directory, std::string_view names, Time now) {
  const std::size_t dots = names.find("..");
  if (dots == std::string_view::npos || dots == 0 || dots + 2 == names.size())
    return fail(EINVAL, "'{}' names no two points; write A..B, each a point's name, 'latest' or a time",
                names);
  HF_TRY(const Id from, find_point(engine, directory.object, names.substr(0, dots), now));
  HF_TRY(const Id to, find_point(engine, directory.object, names.substr(dots + 2), now));
  return Meaning{from, to};
}

Result<Meaning> moment(Engine&, const TreeNode& directory, std::string_view when, Time now) {
  HF_TRY(const Time time, parse_when(when, now));
  return Meaning{directory.object, time.time_since_epoch().count()};
}

Result<std::vector<Named>> points_at_moment(Engine& engine, const TreeNode& directory) {
  HF_TRY(const GroupView group, engine.status().group(directory.object, Asker{}));
  const Time when{std::chrono::milliseconds{directory.extra}};
  std::vector<Named> points;
  for (const Member& member : group.members) {
    const auto point = engine.objects().point_at(member.machine_id, when);
    if (!point && point.error().code != ENOENT) return tl::make_unexpected(point.error());
    if (point) points.push_back({point->id, member.machine});
  }
  return points;
}

Result<std::vector<Named>> points_of_execution(Engine& engine, const TreeNode& directory) {
  return engine.objects().points_of_execution(directory.object);
}

Result<std::vector<Named>> points_in_order(Engine& engine, const TreeNode& directory) {
  HF_TRY(const ChainView chain, engine.status().chain(directory.object, Asker{}));
  std::vector<Named> points;
  for (const Point& point : chain.points)
    points.push_back({point.id, fmt::format("{:04}-{}", points.size() + 1, point.name)});
  return points;
}

Result<std::string> point_name(Engine& engine, const TreeNode& node) {
  HF_TRY(const PointView view, engine.status().point(node.object, Asker{}));
  return view.point.name;
}

Result<std::string> machine_and_point(Engine& engine, const TreeNode& node) {
  HF_TRY(const PointView view, engine.status().point(node.object, Asker{}));
  return fmt::format("{}/{}", view.machine, view.point.name);
}

Result<std::vector<Named>> members_of_group(Engine& engine, const TreeNode& directory) {
  HF_TRY(const GroupView group, engine.status().group(directory.object, Asker{}));
  std::vector<Named> machines;
  for (const Member& member : group.members) machines.push_back({member.machine_id, member.machine});
  return machines;
}

Result<std::string> machine_name(Engine& engine, const TreeNode& node) {
  HF_TRY(const MachineView view, engine.status().machine(node.object, Asker{}));
  return view.machine.name;
}

}  // namespace holdfast::tree
