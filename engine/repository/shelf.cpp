#include "engine/repository/shelf.h"

#include <optional>
#include <thread>
#include <utility>

namespace holdfast::repository {

// One repository. At most one thread looks at it; who comes meanwhile shares its answer.
class Shelf::Door : public std::enable_shared_from_this<Door> {
 public:
  Result<std::shared_ptr<Place>> place(const Repository& repository, std::chrono::milliseconds patience) {
    const MutexLock lock(mutex_);
    if (!looking_since_) {
      looking_since_ = Steady::now();
      begun_at_ = system_clock().now();
      // The thread may outlive the shelf, so it has its own share of the door.
      std::thread([door = shared_from_this(), path = repository.definition.path, marker = repository.marker] {
        door->look(path, marker);
      }).detach();
    }
    const std::uint64_t wanted = answers_ + 1;
    const auto end = *looking_since_ + patience;
    while (answers_ < wanted)
      if (!answered_.wait_until(mutex_, end) && answers_ < wanted)
        return fail(ETIMEDOUT, "repository '{}' hangs: {} has not answered since {}; look after its mount",
                    repository.name, repository.definition.path, iso_time(begun_at_));
    return answer_;
  }

 private:
  using Steady = CondVar::Steady;

  void look(const std::string& path, const std::string& marker) {
    std::shared_ptr<Place> place = take();
    // Another daemon that held the lease may have ended since. Ours is given back before it is taken anew.
    if (place && (!place->check() || !place->may_write())) place.reset();
    auto answer = place ? Result<std::shared_ptr<Place>>(place) : Place::open(path, marker);
    const MutexLock lock(mutex_);
    answer_ = std::move(answer);
    looking_since_.reset();
    ++answers_;
    answered_.notify_all();
  }

  std::shared_ptr<Place> take() {
    const MutexLock lock(mutex_);
    return answer_ ? std::exchange(*answer_, nullptr) : nullptr;
  }

  Mutex mutex_;
  CondVar answered_;
  std::optional<Steady::time_point> looking_since_ HF_GUARDED_BY(mutex_);
  Time begun_at_ HF_GUARDED_BY(mutex_){};
  std::uint64_t answers_ HF_GUARDED_BY(mutex_) = 0;
  Result<std::shared_ptr<Place>> answer_ HF_GUARDED_BY(mutex_) = nullptr;
};

Result<std::shared_ptr<Place>> Shelf::place(const Repository& repository) {
  if (repository.marker.empty())
    return fail(EINVAL, "repository '{}' has no path yet; write its config.json", repository.name);
  std::shared_ptr<Door> door;
  {
    const MutexLock lock(mutex_);
    auto& known = doors_[repository.id];
    if (!known) known = std::make_shared<Door>();
    door = known;
  }
  auto found = door->place(repository, patience_);
  const MutexLock lock(mutex_);
  if (found)
    troubles_.erase(repository.id);
  else
    troubles_[repository.id] = found.error().message;
  return found;
}

std::string Shelf::trouble(Id repository) const {
  const MutexLock lock(mutex_);
  const auto found = troubles_.find(repository);
  return found == troubles_.end() ? "" : found->second;
}

void Shelf::drop(Id repository) {
  const MutexLock lock(mutex_);
  doors_.erase(repository);
}

}  // namespace holdfast::repository
