// What a repository carries to begin again with (law 10): the definitions of all that users have made.
//
//   definitions/<kind>s/NAME.json   kind, name, owner, the definition as config.json has it; a machine's
//                                   key, a group's members. No secret: definitions name credentials
//   definitions/revision            whose changes are in it, and up to which one
//
// Written after a change has been committed, by a thread of its own: no change fails or waits for it. A
// repository that is away, or falls behind for any other reason, is brought up to date at the next change or
// run: what it lacks follows from its own revision. The revision is written last, so that a crash repeats the
// rest.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "catalog/catalog.h"
#include "engine/repository/shelf.h"

namespace holdfast::repository {

// Tells all repositories that can be written to; of the facts of their points (facts.h), too. Any thread may
// call; the thread is owned here.
class Definitions {
 public:
  Definitions(Catalog& catalog, Shelf& shelf);
  ~Definitions();  // stop()

  // Something may have changed, or a repository may be there again. Returns at once.
  void changed();
  // Returns when all is told that had been changed before: to whom it could be.
  void settle();
  // No more is told; what is being written is ended first.
  void stop();

 private:
  void work();

  Catalog& catalog_;
  Shelf& shelf_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable moved_;
  std::uint64_t asked_ = 0;
  std::uint64_t told_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// One repository, now. What it lacks is read from the catalog and written there.
Result<> tell_definitions(Catalog& catalog, Directory& directory);

}  // namespace holdfast::repository
