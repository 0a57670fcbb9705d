// Tree: opens files.
#include "fsd/tree/files/config_file.h"
#include "fsd/tree/files/control_file.h"
#include "fsd/tree/files/image_file.h"
#include "fsd/tree/files/log_file.h"
#include "fsd/tree/files/scratch_file.h"
#include "fsd/tree/files/text_file.h"
#include "fsd/tree/files/wait_file.h"
#include "fsd/tree/files/work_log_file.h"
#include "fsd/tree/tree.h"

namespace holdfast::tree {
namespace {

bool is_writable(NodeKind kind) {
  return kind == NodeKind::config || kind == NodeKind::control || kind == NodeKind::scratch;
}

}  // namespace

Result<std::shared_ptr<OpenFile>> Tree::open(const TreeNode& node, const OpenMode& mode, const Asker& asker,
                                             const GaveUp& gave_up) {
  saves_.forget(asker);
  auto opened = held(asker, [&] { return open_unsettled(node, mode, asker, gave_up); });
  if (opened) return opened;  // only the sentence needs name_of
  const auto [teller, way] = teller_of(directory_of(node));
  return refusals_.settle_failure(teller, asker, fmt::format("open {}{}", way, name_of(node)),
                                  std::move(opened));
}

std::string Tree::name_of(const TreeNode& node) {
  const Outline::Knot& here = knot(node);
  if (here.row->kind == NodeKind::scratch) return scratches_.name_of(node.object);
  if (here.row->kind != NodeKind::image) return std::string{here.name};
  const auto disk = engine_.status().point_disk(node.object);
  return fmt::format("{}{}", disk ? disk->name : "the disk", here.suffix);
}

Result<std::shared_ptr<OpenFile>> Tree::open_unsettled(const TreeNode& node, const OpenMode& mode,
                                                       const Asker& asker, const GaveUp& gave_up) {
  const Outline::Knot& here = knot(node);
  const bool changes = mode.write || mode.truncate;
  if (changes && here.row->kind == NodeKind::image)
    return fail(EROFS, "this is a backup: it cannot be changed");
  if (changes && !is_writable(here.row->kind)) return fail(EPERM, "only the daemon writes this file");
  HF_TRY(const Ownership owner, ownership(node));
  if (mode.read && !may(asker, owner, Right::read)) return fail(EACCES, "its mode does not let you read it");
  if (changes) HF_CHECK(check_may_write(node, asker));

  switch (here.row->kind) {
    case NodeKind::generated: {
      HF_TRY(const Rendering rendering, renderings_.of(node, asker));
      return std::make_shared<TextFile>(rendering.text);
    }
    case NodeKind::config: return open_config(node, mode, asker);
    case NodeKind::control: return open_control(node, asker);
    case NodeKind::work_log: return std::make_shared<WorkLogFile>(engine_, *outline_.subject_of(node), asker);
    case NodeKind::lines:
      return std::make_shared<ListingFile>(
          engine_, here.row->next_page, asker,
          [=, this](const Error& error) { note_refusal(node, asker, "read", error); });
    case NodeKind::difference: {
      HF_TRY(auto text, differences_.of(node, gave_up));
      return std::make_shared<TextFile>(std::move(text));
    }
    case NodeKind::log: return std::make_shared<LogFile>(events_, node.object, asker);
    case NodeKind::error: return std::make_shared<TextFile>(refusals_.of(directory_of(node), asker.uid).text);
    case NodeKind::wait: {
      HF_TRY(const ObjectId subject, here.row->subject(engine_, node.object));
      return std::make_shared<WaitFile>(engine_, subject);
    }
    case NodeKind::image: return open_image(node, asker);
    case NodeKind::scratch: {
      auto file = scratches_.get(node.object);
      if (!file) return fail(ENOENT, "the scratch file was removed or has expired");
      if (mode.truncate) HF_CHECK(file->truncate(0));
      return std::make_shared<ScratchFile>(
          std::move(file), [=, this](const Error& why) { note_refusal(node, asker, "write", why); });
    }
    case NodeKind::directory:
    case NodeKind::collection:
    case NodeKind::object: return fail(EISDIR, "a directory");
    case NodeKind::link: break;
  }
  return fail(ELOOP, "a link");
}

Result<> Tree::check_may_write(const TreeNode& node, const Asker& asker) {
  HF_TRY(const Ownership owner, ownership(node));
  if (may(asker, owner, Right::write)) return {};
  return fail(EACCES, "its mode does not let you write it");
}

Result<std::shared_ptr<OpenFile>> Tree::open_config(const TreeNode& node, const OpenMode& mode,
                                                    const Asker& asker) {
  HF_TRY(const Rendering rendering, renderings_.of(node, asker));
  if (!mode.write) return std::make_shared<TextFile>(rendering.text);
  auto file = std::make_shared<ConfigFile>(
      rendering.text, asker.pid, [=, this](std::string_view text) { return commit(node, text, asker); },
      [=, this](const Error& why) { note_refusal(node, asker, "write", why); });
  if (mode.truncate) HF_CHECK(file->truncate(0));
  return file;
}

Result<> Tree::commit(const TreeNode& config, std::string_view text, const Asker& asker) {
  // An editor whose save was refused writes the old text back: that keeps the refusal in `error`.
  const auto now = renderings_.of(config, asker);
  const bool puts_back = now && *now->text == text;
  const auto define = [&]() -> Result<> {
    HF_CHECK(check_may_write(config, asker));
    HF_CHECK(engine_.objects().count_change(asker));
    return knot(config).row->config.commit(engine_, config.object, text, asker);
  };
  auto done = audited(config, "define", "", asker, define());
  if (done) saves_.note(config, asker);
  const std::string what = "write " + name_of(config);
  return puts_back ? refusals_.settle_failure(directory_of(config), asker, what, std::move(done), text)
                   : refusals_.settle(directory_of(config), asker, what, std::move(done), text);
}

std::shared_ptr<OpenFile> Tree::open_control(const TreeNode& node, const Asker& asker) {
  const std::span<const verbs::Verb> verbs = knot(node).row->verbs;
  const auto command = [=, this](std::string_view line) -> Result<> {
    if (line.size() > ControlFile::kLongestCommand)
      return fail(EMSGSIZE, "a command has at most {} bytes, this one has {}", ControlFile::kLongestCommand,
                  line.size());
    if (auto still = check_may_write(node, asker); !still)
      return audited(node, "command", "", asker, std::move(still));
    const auto parsed = verbs::parse(line, verbs);
    if (!parsed) return audited<void>(node, "command", "", asker, tl::make_unexpected(parsed.error()));
    return audited(node, parsed->verb->word, "", asker, engine_.objects().count_change(asker).and_then([&] {
      return parsed->verb->apply(engine_, node.object, parsed->values, asker);
    }));
  };
  return std::make_shared<ControlFile>(verbs::listing(verbs), [=, this](std::string_view line) {
    return refusals_.settle(directory_of(node), asker, "write " + name_of(node), command(line), line);
  });
}

Result<std::shared_ptr<OpenFile>> Tree::open_image(const TreeNode& node, const Asker& asker) {
  HF_TRY(auto image, engine_.reading().open(node.object, knot(node).row->form, asker));
  return std::make_shared<ImageFile>(
      std::move(image), [=, this](const Error& error) { note_refusal(node, asker, "read", error); });
}

Result<Holdings::Share> Tree::wait_at(const TreeNode& node, const Asker& asker) {
  auto share = holdings_.handle(asker.uid);
  if (!share) note_refusal(node, asker, "read", share.error());
  return share;
}

void Tree::note_refusal(const TreeNode& node, const Asker& asker, std::string_view what, const Error& why) {
  Result<> refused = tl::make_unexpected(why);
  (void)refusals_.settle(directory_of(node), asker, fmt::format("{} {}", what, name_of(node)),
                         std::move(refused));
}

}  // namespace holdfast::tree
