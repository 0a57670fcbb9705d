#include "catalog/base/host_walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <fstream>
#include <set>
#include <sstream>

#include "catalog/base/fd.h"

namespace holdfast {
namespace {

constexpr int kMostLinks = 40;  // as the kernel's limit

// Mounts that a walk treats in a way of their own, by their ids.
struct SpecialMounts {
  std::set<std::uint64_t> holdfast, autofs;
};

SpecialMounts special_mounts() {
  SpecialMounts special;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const auto dash = line.find(" - ");  // the file system's type follows it
    if (dash == std::string::npos) continue;
    const auto rest = std::string_view{line}.substr(dash + 3);
    const auto type = rest.substr(0, rest.find(' '));
    if (type == "fuse.holdfast") special.holdfast.insert(std::stoull(line));
    if (type == "autofs") special.autofs.insert(std::stoull(line));
  }
  return special;
}

// Walks along the path, one component at a time, and looks at the mount of each before it goes on.
class Walk {
 public:
  Walk(const std::string& path, const std::set<std::uint64_t>& hanging,
       const std::function<void(std::uint64_t mount)>& enters)
      : path_(path), hanging_(hanging), enters_(enters) {
    push(path);
  }

  Result<HostPath> go(Look look) {
    const SpecialMounts special = special_mounts();
    HF_CHECK(begin_at_root());
    while (!rest_.empty()) {
      const std::string name = std::move(rest_.back());
      rest_.pop_back();
      if (name.empty() || name == ".") continue;
      // O_PATH and O_NOFOLLOW open the root of a mount without asking its file system.
      Fd next{::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
      if (!next && errno == ENOENT) return absent_from(name);
      if (!next) return fail_errno("looking at {}", path_);
      HF_TRY(struct statx it, look_at(next));
      if (special.autofs.contains(it.stx_mnt_id)) {
        // Mounts what belongs there. O_PATH alone does not, and an idle mount point is empty.
        next = Fd{::openat(at_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC)};
        if (!next) return fail_errno("looking at {}", path_);
        HF_TRY(it, look_at(next));
      }
      if (special.holdfast.contains(it.stx_mnt_id))
        return fail(EINVAL, "{} lies on a mount of Holdfast; name a path of another file system", path_);
      HF_CHECK(enter(it.stx_mnt_id));
      if (S_ISLNK(it.stx_mode)) {
        HF_CHECK(follow(next));
        continue;
      }
      step_to(name, std::move(next), it);
    }
    HostPath path = found();
    if (look == Look::first_bytes) path.start = first_bytes();
    return path;
  }

 private:
  struct Step {
    std::string name;
    HostPath::Identity identity;
  };

  // Does not ask the file system.
  Result<struct statx> look_at(const Fd& found) const {
    struct statx it {};
    constexpr unsigned kWanted = STATX_TYPE | STATX_INO | STATX_MNT_ID;
    if (::statx(found.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, kWanted, &it) != 0)
      return fail_errno("looking at {}", path_);
    return it;
  }

  Result<> enter(std::uint64_t mount) {
    if (mount == mount_) return {};
    if (hanging_.contains(mount)) return does_not_answer(path_);
    mount_ = mount;
    enters_(mount);
    return {};
  }

  static HostPath::Identity identity_of(const struct statx& it) {
    return {std::uint64_t{it.stx_dev_major} << 32 | it.stx_dev_minor, it.stx_ino};
  }

  void push(const std::string& path) {
    std::vector<std::string> names;
    std::istringstream text(path);
    for (std::string name; std::getline(text, name, '/');) names.push_back(name);
    rest_.insert(rest_.end(), names.rbegin(), names.rend());
  }

  Result<> begin_at_root() {
    at_ = Fd{::open("/", O_PATH | O_CLOEXEC)};
    struct statx it {};
    if (!at_ || ::statx(at_.get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, &it) != 0)
      return fail_errno("looking at /");
    steps_ = {{"", identity_of(it)}};
    return {};
  }

  void step_to(const std::string& name, Fd next, const struct statx& it) {
    at_ = std::move(next);
    if (name != "..")
      steps_.push_back({name, identity_of(it)});
    else if (steps_.size() > 1)
      steps_.pop_back();
  }

  Result<> follow(const Fd& link) {
    if (++links_ > kMostLinks) return fail(ELOOP, "{} leads through too many symbolic links", path_);
    std::array<char, PATH_MAX> target;
    const ssize_t length = ::readlinkat(link.get(), "", target.data(), target.size());
    if (length < 0) return fail_errno("looking at {}", path_);
    const std::string to(target.data(), static_cast<std::size_t>(length));
    push(to);
    return to.starts_with('/') ? begin_at_root() : Result<>{};
  }

  HostPath found() const {
    HostPath path;
    for (const Step& step : steps_) {
      if (!step.name.empty()) path.real += "/" + step.name;
      path.above.push_back(step.identity);
    }
    path.own = path.above.back();
    path.above.pop_back();
    return path;
  }

  // Returns "" for anything but a file or a block device, because opening other things may have effects.
  std::string first_bytes() const {
    struct stat it {};
    if (::fstat(at_.get(), &it) != 0 || !(S_ISREG(it.st_mode) || S_ISBLK(it.st_mode))) return "";
    const std::string same = "/proc/self/fd/" + std::to_string(at_.get());
    const Fd fd{::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    std::array<char, 512> bytes;
    const ssize_t length = fd ? ::pread(fd.get(), bytes.data(), bytes.size(), 0) : 0;
    return {bytes.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
  }

  HostPath absent_from(const std::string& name) {
    HostPath path = found();
    path.above.push_back(*path.own);
    path.own.reset();
    rest_.push_back(name);
    for (; !rest_.empty(); rest_.pop_back())
      if (!rest_.back().empty() && rest_.back() != ".") {
        path.real += "/" + rest_.back();
        ++path.absent;
      }
    return path;
  }

  const std::string path_;
  const std::set<std::uint64_t>& hanging_;
  const std::function<void(std::uint64_t mount)>& enters_;
  std::uint64_t mount_ = 0;        // the last one that was entered
  std::vector<std::string> rest_;  // components still to go, the next one last
  std::vector<Step> steps_;        // from the root
  Fd at_;
  int links_ = 0;
};

}  // namespace

tl::unexpected<Error> does_not_answer(const std::string& path) {
  return fail(ETIMEDOUT, "{} does not answer: the file system that it lies on hangs; look after its mount",
              path);
}

Result<HostPath> walk_to(const std::string& path, Look look, const std::set<std::uint64_t>& hanging,
                         const std::function<void(std::uint64_t mount)>& enters) {
  return Walk(path, hanging, enters).go(look);
}

}  // namespace holdfast
