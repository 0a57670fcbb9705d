// A row of the table, and the functions that it names.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/tree_node.h"
#include "fsd/verbs/verb.h"

namespace holdfast::tree {

enum class NodeKind {
  directory,   // a fixed directory
  collection,  // a directory of objects that users make (mkdir), delete (rmdir) and rename
  object,      // a directory that stands for an object
  generated,   // a snapshot, rendered at open
  log,         // append-only
  work_log,    // append-only: the log of one execution or job
  lines,       // every object of a kind that the reader may see, one a line
  difference,  // computed from two points at lookup, which can take long
  config,      // the object's definition
  control,     // takes commands
  error,       // the reader's own last refused operation in this directory
  wait,        // answers when the run has ended
  image,       // a point's disk
  link,
  scratch,  // an editor's file beside a definition
};

// Identifies an object of any kind.
struct ObjectId {
  ObjectKind kind = ObjectKind::execution;
  Id id = 0;

  bool operator==(const ObjectId&) const = default;
};

struct TableRow;

using Show = Result<std::string> (*)(Engine& engine, const TreeNode& node);
// Shows what this reader may see, and nothing else (law 19).
using ShowTo = Result<std::string> (*)(Engine& engine, const TreeNode& node, const Asker& reader);

// Functions that print and commit a config.json.
struct Config {
  ShowTo print = nullptr;
  Result<> (*commit)(Engine& engine, Id object, std::string_view text, const Asker& asker) = nullptr;
};

// Lists the names that a {placeholder} stands for, if these are not all objects of a kind below an object.
using Members = Result<std::vector<Named>> (*)(Engine& engine, const TreeNode& directory);

// Resolves a name that no listing has. ENOENT: it names nothing; EINVAL: it is malformed.
struct Meaning {
  Id object = 0;
  std::int64_t extra = 0;
};
using Resolve = Result<Meaning> (*)(Engine& engine, const TreeNode& directory, std::string_view name,
                                    Time now);

// Attaches or detaches an object: a link that users make and remove (ln -s, rm) to an object of the
// placeholder's kind.
using Attach = Result<> (Objects::*)(Id object, Id target, const Caller& caller);
struct Attachment {
  Attach attach = nullptr;
  Attach detach = nullptr;
};

// Lines of the objects that follow another one and that the reader may see. `last`: the page's last object; 0
// at the end.
struct Page {
  std::string text;
  Id last = 0;
};
using NextPage = Result<Page> (*)(Engine& engine, Id after, const Asker& reader);

struct TableRow {
  std::string_view path;   // "{flow}" stands for the name of any flow
  std::string_view about;  // a description in a few words, for README.txt
  NodeKind kind = NodeKind::directory;
  std::uint32_t bits = 0;    // the bits of the owner's mode that this node can have
  Show show = nullptr;       // generated: prints the text that is the same for all readers
  ShowTo show_to = nullptr;  // generated: prints the text for one reader
  bool (*is_present)(Engine& engine,
                     Id object) = nullptr;  // generated: whether the file is there; null: always
  std::string_view to{};                    // link: the path of the target's row
  Show to_name = nullptr;  // link: the target's names, with slashes between (ENOENT: the link is absent)
  bool drifts = false;  // generated: the text changes while the object's revision stays, as free space does
  Config config{};
  std::span<const verbs::Verb> verbs{};
  Result<ObjectId> (*subject)(Engine& engine,
                              Id object) = nullptr;  // wait: the run (ENOENT: the file is absent)
  Members members = nullptr;
  Resolve resolve = nullptr;
  Attachment attachment{};
  bool removable = false;           // object: the daemon makes it, and rmdir removes it
  NextPage next_page = nullptr;     // lines
  ImageForm form = ImageForm::raw;  // image
};

}  // namespace holdfast::tree
