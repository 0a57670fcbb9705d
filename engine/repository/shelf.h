// The repositories that are open.
#pragma once

#include <cerrno>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/disk.h"
#include "catalog/base/mutex.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Opens a repository at its first use and keeps it, with its lease unless it is read-only, until drop(). Each
// is looked at in a thread of its own, so that one whose file system hangs delays nobody for long, and no
// other repository at all. Any thread may call.
class Shelf {
 public:
  // The longest wait for an answer. Disks may have to spin up.
  static constexpr std::chrono::seconds kPatience{20};

  explicit Shelf(std::chrono::milliseconds patience = kPatience) : patience_(patience) {}
  ~Shelf();
  Shelf(const Shelf&) = delete;

  // Returns EIO if the repository is absent or another one lies there; checked at each call. Returns
  // ETIMEDOUT if it does not answer: at once, while an earlier call has waited in vain.
  Result<std::shared_ptr<Place>> place(const Repository& repository);
  // Does the same for a status, which nobody waits for: it says soon that the repository hangs.
  static constexpr std::chrono::seconds kGlance{1};
  Result<std::shared_ptr<Place>> glance(const Repository& repository);
  struct Trouble {
    Time since;  // when the first call failed after one that succeeded
    int code;
    std::string message;
  };
  // Says why the last place() failed; nullopt if it succeeded. Never waits for a file system.
  std::optional<Trouble> trouble(Id repository) const;
  struct Space {
    Directory::Space bytes;
    std::uint64_t device = 0;  // the file system, which several repositories may share
  };
  // Returns the space when the repository last answered; nullopt if it never did. Never waits for a file
  // system.
  std::optional<Space> space(Id repository) const;
  // Returns what lies aside, as it was last seen. Never waits for a file system.
  std::vector<Aside> asides(Id repository) const;
  // Says why the repository could not be written to when it was last looked at; nullopt if it could, or is
  // only read. Never waits for a file system.
  std::optional<Trouble> refusal(Id repository) const;
  // Opens the repository anew, with the lease of a daemon that did not give it back. Returns EBUSY if a
  // process of this host holds it.
  Result<> take_over(const Repository& repository);
  // Lets go of the repository, so that its file system can be unmounted, until attach(). Meanwhile place()
  // returns EIO, and the code of trouble() is kDetached. Returns EBUSY while its Place is in use, or can't be
  // closed.
  static constexpr int kDetached = ESHUTDOWN;
  Result<> detach(const Repository& repository);
  // Takes the repository again. If it is not there, it stays detached.
  Result<> attach(const Repository& repository);
  // A reader that keeps files open, but not the Place and its lease, holds this against detach().
  struct Use {};
  std::shared_ptr<Use> use(Id repository);
  // Asks each repository that was used whether it answers, and returns at once. From now on nobody waits for
  // longer than a moment. Call when the daemon ends.
  void hurry();
  // Waits for those answers. Returns whether a repository has given none within a moment.
  bool hangs();
  // Closes the repository, after its definition changed or it was deleted.
  void drop(Id repository);

 private:
  class Door;

  Result<std::shared_ptr<Place>> place_within(const Repository& repository,
                                              std::chrono::milliseconds patience);
  Result<std::shared_ptr<Door>> open_door(const Repository& repository);
  std::shared_ptr<Door> known_door(Id repository) const;
  std::vector<std::shared_ptr<Door>> doors() const;
  std::shared_ptr<Door> door_to(Id repository) HF_REQUIRES(mutex_);

  const std::chrono::milliseconds patience_;
  mutable Mutex mutex_;
  std::map<Id, std::shared_ptr<Door>> doors_ HF_GUARDED_BY(mutex_);
  std::map<Id, Trouble> troubles_ HF_GUARDED_BY(mutex_);
  std::map<Id, Trouble> detached_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::repository
