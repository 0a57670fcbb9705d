#include "engine/repository/shelf.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"

namespace holdfast::repository {
namespace {

constexpr std::chrono::seconds kForBriefUse{2};  // how long detach() waits for the Place to be given back
constexpr std::chrono::milliseconds kLookAtUse{10};
constexpr std::chrono::seconds kMoment{1};  // time for an answer at the daemon's end

}  // namespace

// One repository. At most one thread looks at it; who comes meanwhile shares its answer.
class Shelf::Door : public std::enable_shared_from_this<Door> {
 public:
  Result<std::shared_ptr<Place>> place(const Repository& repository, std::chrono::milliseconds patience) {
    const MutexLock lock(mutex_);
    asked_ = repository;
    if (!look_) HF_CHECK(begin_look(repository, taking_of(repository)));
    return await(look_, repository, patience);
  }

  Result<> take_over(const Repository& repository, std::chrono::milliseconds patience) {
    const MutexLock lock(mutex_);
    while (look_) HF_CHECK(await(look_, repository, patience));
    HF_CHECK(begin_look(repository, Taking::by_word));
    HF_TRY(const auto place, await(look_, repository, patience));
    return place->may_write();
  }

  void hurry() {
    const MutexLock lock(mutex_);
    is_hurried_ = true;
    if (asked_ && !look_)
      (void)begin_look(*asked_, taking_of(*asked_));  // without a thread, nobody knows whether it hangs
    ended_.notify_all();
  }

  bool hangs() {
    const MutexLock lock(mutex_);
    while (look_)
      if (!ended_.wait_until(mutex_, look_->begun + kMoment)) break;
    return look_ != nullptr;
  }

  std::optional<Space> space() const {
    const MutexLock lock(mutex_);
    return space_;
  }

  std::vector<Aside> asides() const {
    const MutexLock lock(mutex_);
    return asides_ ? asides_->known() : std::vector<Aside>{};
  }

  std::optional<Trouble> refusal() const {
    const MutexLock lock(mutex_);
    return refusal_;
  }

  // Never replaced, so it needs no lock.
  std::shared_ptr<Use> use() const { return use_; }

  // Gives the repository back if nobody else uses it within a moment.
  Result<> let_go(const Repository& repository) {
    HF_TRY(auto gone, take_unused(repository));
    begin_close(std::move(gone));
    if (has_closed(Steady::now() + kForBriefUse)) return {};
    return hanging(repository);
  }

  // Lets go of the repository and keeps it no more.
  void close() {
    std::shared_ptr<Place> gone;
    {
      const MutexLock lock(mutex_);
      is_closed_ = true;
      gone = std::move(place_);
    }
    begin_close(std::move(gone));
  }

  // Waits until then for the end of let_go() or close(). Returns whether it has come.
  bool has_closed(CondVar::Steady::time_point until) {
    const MutexLock lock(mutex_);
    while (is_closing_)
      if (!ended_.wait_until(mutex_, until)) break;
    return !is_closing_;
  }

 private:
  using Steady = CondVar::Steady;
  using Answer = Result<std::shared_ptr<Place>>;

  static tl::unexpected<Error> hanging(const Repository& repository) {
    return fail(EBUSY, "repository '{}' hangs; make its file system answer, or unmount it lazily (umount -l)",
                repository.name);
  }

  Result<std::shared_ptr<Place>> take_unused(const Repository& repository) {
    const auto until = Steady::now() + kForBriefUse;
    const MutexLock lock(mutex_);
    while (look_ || place_.use_count() > 1 || use_.use_count() > 1) {
      if (Steady::now() >= until && look_) return hanging(repository);
      if (Steady::now() >= until) return fail(EBUSY, "repository '{}' is in use", repository.name);
      ended_.wait_until(mutex_, Steady::now() + kLookAtUse);
    }
    return std::exchange(place_, nullptr);
  }

  // Closes the place in a thread of its own, because its file system may hang.
  void begin_close(std::shared_ptr<Place> place) {
    {
      const MutexLock lock(mutex_);
      is_closing_ = true;
    }
    try {
      std::thread([door = shared_from_this(), place = std::move(place)]() mutable {
        place.reset();
        door->end_close();
      }).detach();
    } catch (const std::system_error& error) {
      log::warning("no thread can be made to close a repository: {}", error.what());
      end_close();  // the failed thread has closed it
    }
  }

  void end_close() {
    const MutexLock lock(mutex_);
    is_closing_ = false;
    ended_.notify_all();
  }

  struct Look {
    Steady::time_point begun = Steady::now();
    Time begun_at = system_clock().now();
    bool has_ended = false;
    Answer answer = nullptr;
  };

  Result<> begin_look(const Repository& repository, Taking taking) HF_REQUIRES(mutex_) {
    const auto look = std::make_shared<Look>();
    try {
      // The thread may outlive the shelf, so it has its own share of the door.
      std::thread([door = shared_from_this(), look, path = repository.definition.path,
                   marker = repository.marker, taking] {
        door->end_look(*look, door->look_at(path, marker, taking));
      }).detach();
    } catch (const std::system_error& error) {
      return fail(EAGAIN, "no thread can be made to look at repository '{}': {}", repository.name,
                  error.what());
    }
    look_ = look;
    return {};
  }

  Answer await(const std::shared_ptr<const Look> look, const Repository& repository,
               std::chrono::milliseconds patience) HF_REQUIRES(mutex_) {
    while (!look->has_ended)
      if (!ended_.wait_until(mutex_, look->begun + (is_hurried_ ? kMoment : patience)) && !look->has_ended)
        return fail(ETIMEDOUT, "repository '{}' hangs: {} has not answered since {}; look after its mount",
                    repository.name, repository.definition.path, iso_time(look->begun_at));
    return look->answer;
  }

  Answer look_at(const std::string& path, const std::string& marker, Taking taking) {
    std::shared_ptr<Place> place;
    {
      const MutexLock lock(mutex_);
      place = std::move(place_);
    }
    // The thread may wait for the answer as long as it takes, because it is not inside of the file system.
    HF_TRY(const HostPath found, look_up(path, std::nullopt));
    // Another daemon that held the lease may have ended since. Ours is given back before it is taken anew.
    if (place && (!place->check() || !serves(*place, taking))) place.reset();
    Answer answer = place ? Answer(place) : Place::open(path, marker, taking);
    if (answer && found.own) learn_space(**answer, found.own->device);
    if (answer) learn_asides(**answer);
    if (answer) learn_refusal(**answer);
    return answer;
  }

  static Taking taking_of(const Repository& repository) {
    return repository.definition.read_only ? Taking::nothing : Taking::by_rule;
  }

  static bool serves(const Place& place, Taking taking) {
    return taking == Taking::nothing ? place.is_for_reading() : place.may_write().has_value();
  }

  void learn_refusal(const Place& place) {
    const auto may_write = place.is_for_reading() ? Result<>() : place.may_write();
    const MutexLock lock(mutex_);
    if (may_write)
      refusal_.reset();
    else
      refusal_ = Trouble{refusal_ ? refusal_->since : system_clock().now(), may_write.error().code,
                         may_write.error().message};
  }

  void learn_space(const Place& place, std::uint64_t device) {
    const auto space = place.directory().space();
    const MutexLock lock(mutex_);
    if (space) space_ = {*space, device};
  }

  void learn_asides(const Place& place) {
    if (const auto seen = place.asides()->look(place.directory()); !seen)
      log::warning("{}: {}", place.path(), seen.error().message);
    const MutexLock lock(mutex_);
    asides_ = place.asides();
  }

  void end_look(Look& look, Answer answer) {
    const MutexLock lock(mutex_);
    if (answer && !is_closed_) place_ = *answer;
    look.answer = std::move(answer);
    look.has_ended = true;
    look_.reset();
    ended_.notify_all();
  }

  const std::shared_ptr<Use> use_ = std::make_shared<Use>();
  mutable Mutex mutex_;
  CondVar ended_;
  bool is_closed_ HF_GUARDED_BY(mutex_) = false;
  bool is_closing_ HF_GUARDED_BY(mutex_) = false;
  bool is_hurried_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Repository> asked_ HF_GUARDED_BY(mutex_);  // as at the last call
  std::shared_ptr<Place> place_ HF_GUARDED_BY(mutex_);     // null while a thread looks
  std::shared_ptr<Look> look_ HF_GUARDED_BY(mutex_);       // the one under way
  std::optional<Space> space_ HF_GUARDED_BY(mutex_);
  std::shared_ptr<const Asides> asides_ HF_GUARDED_BY(mutex_);  // the last place's
  std::optional<Trouble> refusal_ HF_GUARDED_BY(mutex_);
};

Shelf::~Shelf() {
  const auto all = doors();
  for (const auto& door : all) door->close();
  // A daemon that ends gives its leases back, but waits for none that hangs.
  const auto until = CondVar::Steady::now() + kMoment;
  for (const auto& door : all) door->has_closed(until);
}

std::shared_ptr<Shelf::Door> Shelf::door_to(Id repository) {
  auto& known = doors_[repository];
  if (!known) known = std::make_shared<Door>();
  return known;
}

Result<std::shared_ptr<Place>> Shelf::place(const Repository& repository) {
  return place_within(repository, patience_);
}

Result<std::shared_ptr<Place>> Shelf::glance(const Repository& repository) {
  return place_within(repository, std::min<std::chrono::milliseconds>(patience_, kGlance));
}

Result<std::shared_ptr<Shelf::Door>> Shelf::open_door(const Repository& repository) {
  if (repository.marker.empty())
    return fail(EINVAL, "repository '{}' has no path yet; write its config.json", repository.name);
  const MutexLock lock(mutex_);
  if (const auto detached = detached_.find(repository.id); detached != detached_.end())
    return fail(EIO, "{}", detached->second.message);
  return door_to(repository.id);
}

Result<> Shelf::take_over(const Repository& repository) {
  HF_TRY(const auto door, open_door(repository));
  return door->take_over(repository, patience_);
}

Result<std::shared_ptr<Place>> Shelf::place_within(const Repository& repository,
                                                   std::chrono::milliseconds patience) {
  HF_TRY(const auto door, open_door(repository));
  auto found = door->place(repository, patience);
  const MutexLock lock(mutex_);
  if (found) {
    troubles_.erase(repository.id);
  } else {
    Trouble& trouble =
        troubles_.try_emplace(repository.id, Trouble{system_clock().now(), 0, ""}).first->second;
    trouble.code = found.error().code;
    trouble.message = found.error().message;
  }
  return found;
}

std::optional<Shelf::Trouble> Shelf::trouble(Id repository) const {
  const MutexLock lock(mutex_);
  if (const auto detached = detached_.find(repository); detached != detached_.end()) return detached->second;
  const auto found = troubles_.find(repository);
  return found == troubles_.end() ? std::nullopt : std::optional{found->second};
}

std::shared_ptr<Shelf::Door> Shelf::known_door(Id repository) const {
  const MutexLock lock(mutex_);
  const auto found = doors_.find(repository);
  return found == doors_.end() ? nullptr : found->second;
}

std::optional<Shelf::Space> Shelf::space(Id repository) const {
  const auto door = known_door(repository);
  return door ? door->space() : std::nullopt;
}

std::vector<Aside> Shelf::asides(Id repository) const {
  const auto door = known_door(repository);
  return door ? door->asides() : std::vector<Aside>{};
}

std::optional<Shelf::Trouble> Shelf::refusal(Id repository) const {
  const auto door = known_door(repository);
  return door ? door->refusal() : std::nullopt;
}

std::vector<std::shared_ptr<Shelf::Door>> Shelf::doors() const {
  const MutexLock lock(mutex_);
  std::vector<std::shared_ptr<Door>> all;
  for (const auto& [repository, door] : doors_) all.push_back(door);
  return all;
}

void Shelf::hurry() {
  for (const auto& door : doors()) door->hurry();
}

bool Shelf::hangs() {
  return std::ranges::any_of(doors(), [](const auto& door) { return door->hangs(); });
}

std::shared_ptr<Shelf::Use> Shelf::use(Id repository) {
  const MutexLock lock(mutex_);
  return door_to(repository)->use();
}

// No place is given out from the moment on at which the repository is said to be detached.
Result<> Shelf::detach(const Repository& repository) {
  std::shared_ptr<Door> door;
  {
    const MutexLock lock(mutex_);
    const Trouble detached{
        system_clock().now(), kDetached,
        fmt::format("repository '{}' is detached; write 'attach' to repositories/{}/control "
                    "once its file system is mounted",
                    repository.name, repository.name)};
    if (!detached_.try_emplace(repository.id, detached).second)
      return fail(EINVAL, "repository '{}' is detached already", repository.name);
    door = door_to(repository.id);
  }
  auto gone = door->let_go(repository);
  const MutexLock lock(mutex_);
  gone ? doors_.erase(repository.id) : detached_.erase(repository.id);
  return gone;
}

Result<> Shelf::attach(const Repository& repository) {
  decltype(detached_)::node_type detached;
  {
    const MutexLock lock(mutex_);
    detached = detached_.extract(repository.id);
    if (detached.empty())
      return fail(EINVAL, "repository '{}' is not detached; there is nothing to attach", repository.name);
  }
  const auto found = place(repository);
  if (found) return {};
  drop(repository.id);
  const MutexLock lock(mutex_);
  detached_.insert(std::move(detached));
  troubles_.erase(repository.id);
  return tl::make_unexpected(found.error());
}

void Shelf::drop(Id repository) {
  decltype(doors_)::node_type dropped;
  {
    const MutexLock lock(mutex_);
    detached_.erase(repository);
    dropped = doors_.extract(repository);
  }
  if (!dropped.empty()) dropped.mapped()->close();
}

}  // namespace holdfast::repository
