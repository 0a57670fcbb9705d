// Pages of the rows that list all objects of a kind.
#include "fsd/tree/row_makers.h"
#include "fsd/tree/sight.h"
#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

// Objects of a page. A definition may have a mebibyte, and a page is in memory as objects and as text.
constexpr int kOnAPage = 16;

const Ownership& owner_of(const MachineView& view) { return view.machine.ownership; }
const Ownership& owner_of(const FlowView& view) { return view.flow.ownership; }
const Ownership& owner_of(const PointView& view) { return view.ownership; }
Id id_of(const MachineView& view) { return view.machine.id; }
Id id_of(const FlowView& view) { return view.flow.id; }
Id id_of(const PointView& view) { return view.point.id; }

template <class View>
Result<Page> page_of(const Result<std::vector<View>>& views, std::string (*line)(const View&),
                     ObjectKind kind, Sight sight) {
  if (!views) return tl::make_unexpected(views.error());
  Page page;
  for (const View& view : *views) {
    page.last = id_of(view);
    if (sight.covers(kind, owner_of(view))) page.text += line(view);
  }
  return page;
}

}  // namespace

Result<Page> machine_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().machines_after(after, kOnAPage), views::machine_line, ObjectKind::machine,
                 Sight(engine, reader));
}
Result<Page> flow_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().flows_after(after, kOnAPage), views::flow_line, ObjectKind::flow,
                 Sight(engine, reader));
}
Result<Page> point_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().points_after(after, kOnAPage), views::point_line, ObjectKind::point,
                 Sight(engine, reader));
}

}  // namespace holdfast::tree
