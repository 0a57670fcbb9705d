// What a row of the table can say.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/place.h"
#include "fsd/verbs/verb.h"

namespace holdfast::tree {

enum class NodeKind {
  directory,   // fixed
  collection,  // holds objects that users make (mkdir), delete (rmdir) and rename
  object,      // a directory that stands for an object
  generated,   // a snapshot, rendered at open
  log,         // append-only
  config,      // the definition of the object
  control,     // takes commands
  error,       // the reader's own last refused operation in this directory
  wait,        // answers when the run has ended
  image,       // a point's disk
  link,
  scratch,  // what editors put beside a definition
};

// An object, by its kind: whose node something is, or what somebody waits for.
struct Subject {
  ObjectKind kind = ObjectKind::execution;
  Id id = 0;

  bool operator==(const Subject&) const = default;
};

struct Row;

using Show = Result<std::string> (*)(Engine& engine, const Place& place);
// Of a file above all objects: it holds what this reader may see, and nothing else (law 19).
using ShowTo = Result<std::string> (*)(Engine& engine, const Asker& reader);

// How a config.json is read and written.
struct Config {
  Show print = nullptr;
  Result<> (*commit)(Engine& engine, Id object, std::string_view text, const Asker& asker) = nullptr;
};

// Which names a {placeholder} stands for, where it isn't simply all of a kind below an object.
using Members = Result<std::vector<Named>> (*)(Engine& engine, Id parent);

struct Row {
  std::string_view path;  // "{flow}" stands for the name of any flow
  NodeKind kind = NodeKind::directory;
  std::uint32_t bits = 0;    // of the owner's mode, those that this node can have
  Show show = nullptr;       // generated: its text …
  ShowTo show_to = nullptr;  // … or its text for each reader
  std::string_view to{};     // link: the path of the row that it leads to …
  Show to_name = nullptr;    // … and the name of the object there (ENOENT: the link is absent)
  Config config{};
  std::span<const verbs::Verb> verbs{};
  Result<Subject> (*subject)(Engine& engine, Id object) = nullptr;  // wait (ENOENT: the file is absent)
  Members members = nullptr;
  ImageForm form = ImageForm::raw;  // image
};

}  // namespace holdfast::tree
