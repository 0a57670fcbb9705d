// A repository carries the definitions of all that users have made, so that Holdfast can begin again from it
// (law 10).
//
//   definitions/<kind>s/NAME.json   kind, name, owner, the definition as config.json has it; a machine's
//                                   key and retirement, a group's members, a repository's marker, a flow's
//                                   id, the number of the commit (sequence.h). No secret: definitions name
//                                   credentials
//   definitions/settings.json       the daemon's settings
//   definitions/collections.json    the owners of collections
//   definitions/revision            the catalog whose changes are in it, and the latest of them
//
// A thread for each repository writes after a change is committed, so that no change fails or waits because
// of a repository, and no repository because of another. A repository that was away is brought up to date at
// the next change or run, from its own revision. The revision is written last, so that a crash only repeats
// work.
#pragma once

#include <map>
#include <span>
#include <string>
#include <thread>

#include "catalog/base/mutex.h"
#include "catalog/catalog.h"
#include "engine/repository/shelf.h"

namespace holdfast::repository {

// Writes definitions, and the facts of points (facts.h), to all writable repositories. Owns the threads;
// `catalog` and `shelf` must outlive the object. Any thread may call.
class Definitions {
 public:
  Definitions(Catalog& catalog, Shelf& shelf);
  ~Definitions();  // calls stop()

  // Wakes the threads, after a change or when a repository may be back. Returns at once.
  void changed();
  // Waits until earlier changes are written to all repositories that can be written to.
  void settle();
  // Completes the files being written, then ends the threads.
  void stop();

 private:
  struct Writer {
    std::uint64_t told = 0;
    bool is_gone = false;  // true: somebody removed the repository
    bool has_ended = false;
    std::thread thread;
  };
  void find();
  void write(Id repository, Writer& writer);
  void join_ended() HF_REQUIRES(mutex_);

  Catalog& catalog_;
  Shelf& shelf_;
  Mutex mutex_;
  CondVar moved_;
  std::uint64_t asked_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t found_ HF_GUARDED_BY(mutex_) = 0;  // all repositories as of that change have a writer
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::map<Id, Writer> writers_ HF_GUARDED_BY(mutex_);
  std::thread finder_;
};

// The folder of all documents, and below it the folder of a kind of objects.
constexpr char kDefinitions[] = "definitions";
std::span<const DefinitionKind> kinds_of_objects();
std::string folder_of(DefinitionKind kind);

// Writes to the repository what it lacks, now; with `anew`, everything.
enum class Tell { lacking, anew };
Result<> tell_definitions(Catalog& catalog, const Place& place, Id repository, Tell tell = Tell::lacking);

// Returns the files that are not what this catalog has written there. Nothing can be said while the
// repository lacks a change.
Result<std::vector<std::string>> differing_definitions(Catalog& catalog, const Place& place);

}  // namespace holdfast::repository
