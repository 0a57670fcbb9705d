// What a row of the table can say.
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
  directory,   // fixed
  collection,  // holds objects that users make (mkdir), delete (rmdir) and rename
  object,      // a directory that stands for an object
  generated,   // a snapshot, rendered at open
  log,         // append-only
  work_log,    // the same, of one execution or job
  lines,       // all of a kind, one object a line, as the reader may see them
  difference,  // between two points: worked out when it is looked up, which can take long
  config,      // the definition of the object
  control,     // takes commands
  error,       // the reader's own last refused operation in this directory
  wait,        // answers when the run has ended
  image,       // a point's disk
  link,
  scratch,  // what editors put beside a definition
};

// An object, by its kind: whose node something is, or what somebody waits for.
struct ObjectId {
  ObjectKind kind = ObjectKind::execution;
  Id id = 0;

  bool operator==(const ObjectId&) const = default;
};

struct TableRow;

using Show = Result<std::string> (*)(Engine& engine, const TreeNode& node);
// It holds what this reader may see, and nothing else (law 19).
using ShowTo = Result<std::string> (*)(Engine& engine, const TreeNode& node, const Asker& reader);

// How a config.json is read and written.
struct Config {
  Show print = nullptr;
  Result<> (*commit)(Engine& engine, Id object, std::string_view text, const Asker& asker) = nullptr;
};

// Which names a {placeholder} stands for, where it isn't simply all of a kind below an object.
using Members = Result<std::vector<Named>> (*)(Engine& engine, const TreeNode& directory);

// What a name stands for that no listing has. ENOENT: nothing; EINVAL: it can't be meant.
struct Meaning {
  Id object = 0;
  std::int64_t extra = 0;
};
using Resolve = Result<Meaning> (*)(Engine& engine, const TreeNode& directory, std::string_view name,
                                    Time now);

// Links that users make and remove (ln -s, rm): to an object of the kind that the placeholder stands for.
using Attach = Result<> (Objects::*)(Id object, Id target, const Caller& caller);
struct Attachment {
  Attach attach = nullptr;
  Attach detach = nullptr;
};

// Lines of the objects after one, for whoever may read those: how far they reach, 0 at the end.
struct Page {
  std::string text;
  Id last = 0;
};
using NextPage = Result<Page> (*)(Engine& engine, Id after, const Asker& reader);

struct TableRow {
  std::string_view path;   // "{flow}" stands for the name of any flow
  std::string_view about;  // what it is, in a few words: README.txt says it
  NodeKind kind = NodeKind::directory;
  std::uint32_t bits = 0;    // of the owner's mode, those that this node can have
  Show show = nullptr;       // generated: its text …
  ShowTo show_to = nullptr;  // … or its text for each reader
  std::string_view to{};     // link: the path of the row that it leads to …
  // … and the names of the objects on the way there, with slashes (ENOENT: the link is absent)
  Show to_name = nullptr;
  bool drifts = false;  // generated: its text changes while its object doesn't, as free space does
  Config config{};
  std::span<const verbs::Verb> verbs{};
  Result<ObjectId> (*subject)(Engine& engine, Id object) = nullptr;  // wait (ENOENT: the file is absent)
  Members members = nullptr;
  Resolve resolve = nullptr;
  Attachment attachment{};
  bool removable = false;           // object: rmdir lets one go that the daemon has made
  NextPage next_page = nullptr;     // lines
  ImageForm form = ImageForm::raw;  // image
};

}  // namespace holdfast::tree
