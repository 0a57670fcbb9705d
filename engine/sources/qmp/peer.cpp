#include "engine/sources/qmp/peer.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <fstream>
#include <sstream>

#include "catalog/base/host_path.h"
#include "engine/sources/qmp/unix_socket.h"

namespace holdfast::source::qmp {
namespace {

// The system call, because the function of the C library changes the groups of all threads.
bool set_own_groups(const std::vector<gid_t>& groups) {
  return ::syscall(SYS_setgroups, groups.size(), groups.data()) == 0;
}

// Sets and then asks, by an invalid id, because the calls report no failure.
bool set_file_user(uid_t user) {
  ::setfsuid(user);
  return static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == user;
}

bool set_file_group(gid_t group) {
  ::setfsgid(group);
  return static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) == group;
}

std::vector<gid_t> own_groups() {
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(::getgroups(0, nullptr), 0)));
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  groups.resize(static_cast<std::size_t>(std::max(count, 0)));
  return groups;
}

std::string by_descriptor(const Fd& found) { return fmt::format("/proc/self/fd/{}", found.get()); }

}  // namespace

// While one lives, its thread has the peer's rights to files and sockets, and none of root's.
class Peer::Borrowed {
 public:
  explicit Borrowed(const Rights& rights) : is_needed_(rights.user != ::geteuid()) {
    if (!is_needed_) return;
    groups_ = own_groups();
    succeeded_ = set_own_groups(rights.groups) && set_file_group(rights.group) && set_file_user(rights.user);
  }
  ~Borrowed() {
    if (!is_needed_) return;
    const bool is_user_again = set_file_user(::geteuid());
    const bool is_group_again = set_file_group(::getegid());
    set_own_groups(groups_);
    if (!is_user_again || !is_group_again) std::abort();  // this thread works for others, too
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;

  Result<> check() const {
    if (!is_needed_ || succeeded_) return {};
    return fail(EPERM, "the daemon can't take on the rights of the source's user");
  }

 private:
  const bool is_needed_;
  bool succeeded_ = false;
  std::vector<gid_t> groups_;  // the daemon's
};

Result<Peer> Peer::of(const Fd& connection) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return fail_errno("asking who listens at the QMP socket");
  Peer peer;
  peer.process_ = credentials.pid;
  // A process that is not root can't become another user, whoever has its number by now.
  if (credentials.uid == 0) {
    if (auto now = rights_now(peer.process_))
      peer.rights_ = *std::move(now);
    else
      peer.process_ = 0;
    return peer;
  }
  peer.rights_ = {.user = credentials.uid, .group = credentials.gid, .groups = {}};
  size = 0;
  if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) != 0 && errno != ERANGE)
    return fail_errno("asking for the groups of who listens at the QMP socket");
  peer.rights_.groups.resize(size / sizeof(gid_t));
  if (size > 0 &&
      ::getsockopt(connection.get(), SOL_SOCKET, SO_PEERGROUPS, peer.rights_.groups.data(), &size) != 0)
    return fail_errno("asking for the groups of who listens at the QMP socket");
  return peer;
}

std::optional<Peer::Rights> Peer::rights_now(pid_t process) {
  std::ifstream status(fmt::format("/proc/{}/status", process));
  constexpr std::string_view kUser = "Uid:", kGroup = "Gid:", kGroups = "Groups:";
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  Rights rights;
  // The last of four numbers is the one for access to files.
  const auto last_of = [](std::string_view numbers) {
    std::istringstream words{std::string{numbers}};
    std::uint32_t number = 0;
    while (words >> number) {
    }
    return number;
  };
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(kUser)) user = last_of(std::string_view{line}.substr(kUser.size()));
    if (line.starts_with(kGroup)) group = last_of(std::string_view{line}.substr(kGroup.size()));
    if (!line.starts_with(kGroups)) continue;
    std::istringstream words(line.substr(kGroups.size()));
    for (gid_t each = 0; words >> each;) rights.groups.push_back(each);
  }
  if (!user || !group) return std::nullopt;
  rights.user = *user;
  rights.group = *group;
  return rights;
}

Result<Fd> Peer::find(const std::string& path) const {
  if (process_ == 0) return fail(ESRCH, "the process that listens at the QMP socket is not visible here");
  const bool is_absolute = path.starts_with('/');
  const std::string start = fmt::format("/proc/{}/{}", process_, is_absolute ? "root" : "cwd");
  const Fd from{::open(start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!from) return fail_errno("looking at the root of the source's process");
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS | (is_absolute ? RESOLVE_IN_ROOT : 0);
  Fd found{static_cast<int>(::syscall(SYS_openat2, from.get(), path.c_str(), &how, sizeof how))};
  if (!found) return fail_errno("looking up {}", path);
  return found;
}

template <class Act>
std::invoke_result_t<Act, const Fd&> Peer::with(const std::string& path, Act act) const {
  if (path.starts_with('/')) HF_CHECK(look_up(path));  // a file system that hangs
  const Borrowed rights(rights_);
  HF_CHECK(rights.check());
  HF_TRY(const Fd found, find(path));
  return act(found);
}

Result<std::unique_ptr<File>> Peer::open(const std::string& path) const {
  return with(path, [&](const Fd& found) -> Result<std::unique_ptr<File>> {
    struct stat status {};
    if (::fstat(found.get(), &status) != 0) return fail_errno("looking at {}", path);
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
      return fail(EINVAL, "{} is no file and no block device", path);
    Fd file{::open(by_descriptor(found).c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) return fail_errno("opening {}", path);
    return file_of(std::move(file), path);
  });
}

Result<std::uint64_t> Peer::free_space(const std::string& path) const {
  return with(path, [&](const Fd& found) -> Result<std::uint64_t> {
    struct statvfs status {};
    if (::fstatvfs(found.get(), &status) != 0) return fail_errno("asking for the free space of {}", path);
    return std::uint64_t{status.f_bavail} * status.f_frsize;
  });
}

Result<Fd> Peer::connect(const std::string& path, std::string_view what, const Deadline& deadline) const {
  return with(path, [&](const Fd& found) { return connect_at(by_descriptor(found), path, what, deadline); });
}

}  // namespace holdfast::source::qmp
