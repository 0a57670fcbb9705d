// Pages of the rows that list all objects of a kind.
#include "fsd/tree/row_makers.h"
#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

// Objects of a page. A definition may have a mebibyte, and a page is in memory as objects and as text.
constexpr int kOnAPage = 16;

template <class View>
Result<Page> page_of(const Result<PageOf<View>>& views, std::string (*line)(const View&)) {
  if (!views) return tl::make_unexpected(views.error());
  Page page{.text = {}, .last = views->last};
  for (const View& view : views->seen) page.text += line(view);
  return page;
}

}  // namespace

Result<Page> machine_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().machines_after(after, kOnAPage, reader), views::machine_line);
}
Result<Page> flow_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().flows_after(after, kOnAPage, reader), views::flow_line);
}
Result<Page> point_lines(Engine& engine, Id after, const Asker& reader) {
  return page_of(engine.status().points_after(after, kOnAPage, reader), views::point_line);
}

}  // namespace holdfast::tree
