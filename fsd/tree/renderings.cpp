#include "fsd/tree/renderings.h"

namespace holdfast::tree {
namespace {

constexpr std::size_t kMostBytes = 8 << 20;

}  // namespace

Result<Rendering> Renderings::of(const Place& place) {
  const Outline::Knot& knot = outline_.at(place.row);
  const Show print = knot.row->kind == NodeKind::config ? knot.row->config.print : knot.row->show;
  const auto before = kept(place);
  Rendering now;
  // The revision is asked for before the text: a change between the two only makes the text newer than its
  // revision says, and the next question renders it again.
  if (const auto subject = outline_.subject_of(place)) {
    HF_TRY(const Engine::Stamp stamp, engine_.stamp(subject->kind, subject->id));
    if (before && before->revision == stamp.revision) return *before;
    now.revision = stamp.revision;
    now.changed_at = stamp.changed_at;
    HF_TRY(std::string text, print(engine_, place));
    now.text = std::make_shared<const std::string>(std::move(text));
  } else {
    // Files above all objects have no revision: they are compared.
    HF_TRY(std::string text, print(engine_, place));
    if (before && *before->text == text) return *before;
    now.changed_at = clock_.now();
    now.text = std::make_shared<const std::string>(std::move(text));
  }
  keep(place, now);
  return now;
}

std::optional<Rendering> Renderings::kept(const Place& place) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(place);
  if (found == index_.end()) return std::nullopt;
  kept_.splice(kept_.begin(), kept_, found->second);
  return found->second->rendering;
}

void Renderings::keep(const Place& place, const Rendering& rendering) {
  const std::lock_guard lock(mutex_);
  if (const auto found = index_.find(place); found != index_.end()) {
    bytes_ -= found->second->rendering.text->size();
    kept_.erase(found->second);
  }
  kept_.push_front({place, rendering});
  index_[place] = kept_.begin();
  bytes_ += rendering.text->size();
  while (bytes_ > kMostBytes && kept_.size() > 1) {
    bytes_ -= kept_.back().rendering.text->size();
    index_.erase(kept_.back().place);
    kept_.pop_back();
  }
}

}  // namespace holdfast::tree
