#include "fsd/tree/tree.h"

#include <algorithm>

#include "engine/objects/kinds.h"
#include "fsd/tree/table.h"

namespace holdfast::tree {
namespace {

constexpr std::string_view kError = "error";
constexpr Ownership kRootsOwn{.uid = 0, .gid = 0, .mode = 0777};

}  // namespace

Tree::Tree(Engine& engine, const Clock& clock)
    : engine_(engine),
      began_at_(clock.now()),
      outline_(table()),
      renderings_(engine, outline_, clock),
      refusals_(clock,
                [&engine](std::string_view sentence, const Asker& asker, std::string_view given) {
                  return engine.objects().told(sentence, asker, given);
                }),
      open_directories_(holdings_),
      scratches_(clock, holdings_),
      absences_(clock),
      events_(engine),
      listings_(engine, clock),
      differences_(engine),
      clock_(clock) {}

TreeNode Tree::directory_of(const TreeNode& node) const {
  const Outline::Knot& here = knot(node);
  if (here.parent == 0) return root();
  if (here.name.empty()) return {here.parent, node.parent, 0};
  return {here.parent, node.object, node.parent};
}

Tree::Teller Tree::teller_of(const TreeNode& directory) const {
  Teller teller{.directory = directory, .way = {}};
  while (!outline_.child(teller.directory.row, NodeKind::error)) {
    const std::string_view name = knot(teller.directory).name;
    teller.way.insert(0, fmt::format("{}/", name.empty() ? "..." : name));  // a time keeps no name
    teller.directory = directory_of(teller.directory);
  }
  return teller;
}

Result<TreeNode> Tree::lookup(const TreeNode& directory, std::string_view name, const Asker& asker) {
  auto found = lookup_unsettled(directory, name, asker);
  const bool guesses = std::ranges::any_of(
      knot(directory).children, [&](RowIndex child) { return outline_.at(child).row->resolve != nullptr; });
  // Names that shells and desktops look up by themselves begin with a dot: they leave `error` as it is. So
  // does a search for `error` itself.
  if (found || !guesses || name.starts_with('.') || name == kError) return found;
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle_failure(teller, asker, fmt::format("look up {}{}", way, name), std::move(found));
}

Result<TreeNode> Tree::lookup_unsettled(const TreeNode& directory, std::string_view name,
                                        const Asker& asker) {
  Result<TreeNode> why = fail(ENOENT, "there is no '{}' here", name);
  if (name == kError && !outline_.child(directory.row, NodeKind::error)) return why;
  for (const RowIndex row : knot(directory).children) {
    const Outline::Knot& child = outline_.at(row);
    if (child.stands_for) {
      auto found = lookup_object(directory, row, name, asker);
      if (found || found.error().code != ENOENT) return found;
      if (child.row->resolve != nullptr) why = std::move(found);
    } else if (child.row->kind == NodeKind::scratch) {
      if (const Id id = scratches_.find(directory, name); id != 0) return TreeNode{row, id, directory.object};
    } else if (child.row->kind == NodeKind::log) {
      HF_TRY(const auto parts, events_.parts(child.name));
      for (const EventText::Part& part : parts)
        if (part.name == name) return TreeNode{row, part.after, 0};
    } else if (child.name == name) {
      const TreeNode node{row, directory.object, directory.parent};
      if (is_present(node)) return node;
    }
  }
  return why;
}

Result<TreeNode> Tree::lookup_object(const TreeNode& directory, RowIndex row, std::string_view name,
                                     const Asker& asker) {
  auto found = resolve(directory, row, name);
  if (!found || !leads_elsewhere(row)) return found;
  const auto subject = outline_.subject_of(*found);
  if (subject && engine_.objects().may_see(subject->kind, subject->id, asker)) return found;
  return fail(ENOENT, "there is no '{}' here", name);
}

bool Tree::is_personal(const TreeNode& node) const {
  switch (kind(node)) {
    case NodeKind::log:
    case NodeKind::work_log:
    case NodeKind::lines:
    case NodeKind::config: return true;
    default: return knot(node).row->show_to != nullptr;
  }
}

bool Tree::finds_for_asker(const TreeNode& directory) const {
  return std::ranges::any_of(knot(directory).children,
                             [this](RowIndex child) { return leads_elsewhere(child); });
}

bool Tree::leads_elsewhere(RowIndex row) const {
  const Outline::Knot& here = outline_.at(row);
  const auto& from = outline_.at(here.parent).subject;
  return here.stands_for && from &&
         kind_of(*here.stands_for).reached_through != kind_of(*from).reached_through;
}

Result<TreeNode> Tree::resolve(const TreeNode& directory, RowIndex row, std::string_view name) {
  const Outline::Knot& child = outline_.at(row);
  if (outline_.fixed(directory.row, name) || !name.ends_with(child.suffix))
    return fail(ENOENT, "'{}' is no object's name here", name);
  name.remove_suffix(child.suffix.size());
  if (child.row->resolve != nullptr) {
    HF_TRY(const Meaning meaning, child.row->resolve(engine_, directory, name, clock_.now()));
    return TreeNode{row, meaning.object, directory.object, meaning.extra};
  }
  if (child.row->members == nullptr) {
    HF_TRY(const Id id, engine_.objects().find(*child.stands_for, directory.object, name));
    return TreeNode{row, id, directory.object};
  }
  HF_TRY(const auto all, child.row->members(engine_, directory));
  for (const Named& member : all)
    if (member.name == name) return TreeNode{row, member.id, directory.object};
  return fail(ENOENT, "there is no '{}' here", name);
}

bool Tree::is_present(const TreeNode& node) {
  const TableRow& row = *knot(node).row;
  if (row.kind == NodeKind::link) return row.to_name(engine_, node).has_value();
  if (row.kind == NodeKind::config) return !absences_.has(node);
  if (row.is_present != nullptr) return row.is_present(engine_, node.object);
  if (row.kind == NodeKind::wait) return row.subject(engine_, node.object).has_value();
  return true;
}

Result<Ownership> Tree::ownership(const TreeNode& node) {
  if (kind(node) == NodeKind::scratch) {
    const auto file = scratches_.get(node.object);
    if (!file) return fail(ENOENT, "the scratch file was removed or has expired");
    return file->state().ownership;
  }
  Ownership owner = kRootsOwn;
  if (const auto subject = owning_subject(node)) {
    HF_TRY(owner, engine_.objects().ownership(subject->kind, subject->id));
  }
  owner.mode &= knot(node).row->bits;
  return owner;
}

Result<std::vector<Named>> Tree::members(const TreeNode& directory, RowIndex row) {
  const Outline::Knot& child = outline_.at(row);
  if (child.row->members != nullptr) return child.row->members(engine_, directory);
  return engine_.objects().list(*child.stands_for, directory.object);
}

bool Tree::may_know_of(const TreeNode& node, const Asker& asker) {
  const bool stands_for_one =
      kind(node) == NodeKind::object || (kind(node) == NodeKind::link && knot(node).stands_for);
  if (!stands_for_one) return true;
  const auto subject = outline_.subject_of(node);
  return subject && engine_.objects().may_see(subject->kind, subject->id, asker);
}

std::optional<ObjectId> Tree::owning_subject(const TreeNode& node) const {
  const auto own = own_subject(node);
  return own ? own : outline_.subject_of(node);
}

std::optional<ObjectId> Tree::own_subject(const TreeNode& node) const {
  if (const auto made = outline_.made_in(node.row)) return ObjectId{*made, 0};
  if (kind(node) == NodeKind::object && outline_.made_in(knot(node).parent))
    return ObjectId{*knot(node).stands_for, node.object};
  return std::nullopt;
}

Result<std::vector<DirectoryEntry>> Tree::entries(const TreeNode& directory, const Asker& asker) {
  std::vector<DirectoryEntry> all;
  for (const RowIndex row : knot(directory).children) {
    const Outline::Knot& child = outline_.at(row);
    if (child.row->kind == NodeKind::scratch) {
      for (Named& file : scratches_.list(directory))
        all.push_back(
            {std::move(file.name), NodeKind::scratch, inode_number({row, file.id, directory.object})});
      continue;
    }
    if (child.row->kind == NodeKind::log) {
      HF_TRY(auto parts, events_.parts(child.name));
      for (EventText::Part& part : parts)
        all.push_back({std::move(part.name), NodeKind::log, inode_number({row, part.after, 0})});
      continue;
    }
    if (child.row->resolve != nullptr) continue;
    if (!child.stands_for) {
      const TreeNode node{row, directory.object, directory.parent};
      if (is_present(node)) all.push_back({std::string{child.name}, child.row->kind, inode_number(node)});
      continue;
    }
    HF_TRY(auto found, members(directory, row));
    for (Named& member : found) {
      const TreeNode node{row, member.id, directory.object};
      if (!may_know_of(node, asker)) continue;
      all.push_back({std::move(member.name.append(child.suffix)), child.row->kind, inode_number(node)});
    }
  }
  return all;
}

Result<std::shared_ptr<const OpenDirectory>> Tree::open_directory(const TreeNode& directory,
                                                                  const Asker& asker) {
  const auto open = [&]() -> Result<std::shared_ptr<const OpenDirectory>> {
    HF_TRY(auto share, holdings_.handle(asker.uid));
    HF_TRY(auto all, entries(directory, asker));
    HF_TRY(auto listing, open_directories_.share(directory, asker, std::move(all)));
    return std::make_shared<const OpenDirectory>(OpenDirectory{std::move(listing), std::move(share)});
  };
  const auto [teller, way] = teller_of(directory);
  return refusals_.settle_failure(teller, asker, fmt::format("list {}", way.empty() ? "." : way), open());
}

Result<std::string> Tree::link_target(const TreeNode& link) {
  const TableRow& row = *knot(link).row;
  if (row.kind != NodeKind::link) return fail(EINVAL, "no link");
  HF_TRY(const std::string name, row.to_name(engine_, link));
  return outline_.relative_target(link.row, name);
}

}  // namespace holdfast::tree
