#include "engine/repository/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "catalog/base/clock.h"
#include "catalog/base/cut.h"
#include "catalog/base/id.h"
#include "catalog/base/log.h"
#include "catalog/base/sha256.h"
#include "catalog/model/outside_json.h"
#include "engine/common/clock_watch.h"

namespace holdfast::repository {
namespace {

constexpr char kLease[] = ".lease";
constexpr char kNewLease[] = ".lease.new";
constexpr std::size_t kLongestText = 4 * kKiB;
constexpr std::size_t kBytesOfToken = 8, kShownOfMachine = 16;

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

std::string first_line(const char* file) {
  std::string line;
  std::getline(std::ifstream(file), line);
  return line;
}

// Returns an id of this host; "" if it has none. Machines that were cloned share the first of the two files.
// The first is not to be shown (machine-id(5)), hence the digest.
std::string machine_id() {
  const std::string ids = first_line("/etc/machine-id") + first_line("/sys/class/dmi/id/product_uuid");
  return ids.empty() ? "" : sha256_hex(as_bytes("holdfast lease " + ids)).substr(0, kShownOfMachine);
}

// Returns when the process started, in ticks since the host's; 0 if there is no such process.
std::uint64_t start_of(std::int64_t process) {
  constexpr int kFieldsBefore =
      19;  // between the program's name, in parentheses, and the start: proc_pid_stat(5)
  const std::string stat = first_line(fmt::format("/proc/{}/stat", process).c_str());
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string skipped;
  for (int i = 0; i < kFieldsBefore; ++i) fields >> skipped;
  std::uint64_t started = 0;
  fields >> started;
  return started;
}

Holder this_process() {
  static const std::string machine = machine_id();
  return {.owner = fmt::format("{}, process {}", program_invocation_short_name, ::getpid()),
          .host = host_name(),
          .since = iso_time(system_clock().now()),
          .machine = machine,
          .boot = host_uptime().boot,
          .process = ::getpid(),
          .started = start_of(::getpid()),
          .token = random_hex(kBytesOfToken)};
}

bool is_same_boot(const Holder& one, const Holder& other) {
  return !one.boot.empty() && one.boot == other.boot;
}

bool is_of_earlier_version(const Holder& one) { return one.token.empty(); }

bool is_same_host(const Holder& one, const Holder& us) {
  if (is_same_boot(one, us)) return true;
  return one.host == us.host &&
         (is_of_earlier_version(one) || (!one.machine.empty() && one.machine == us.machine));
}

bool is_same_process(const Holder& one, const Holder& us) {
  return is_same_boot(one, us) && one.process == us.process && one.started == us.started;
}

bool is_alive(const Holder& one, const Holder& us) {
  return is_same_boot(one, us) && one.started != 0 && start_of(one.process) == one.started;
}

std::string text_of(const Holder& holder) {
  const nlohmann::ordered_json text{{"owner", holder.owner},     {"host", holder.host},
                                    {"machine", holder.machine}, {"boot", holder.boot},
                                    {"process", holder.process}, {"started", holder.started},
                                    {"time", holder.since},      {"token", holder.token}};
  return text.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string text_of_nobody() {
  return nlohmann::ordered_json{{"owner", nullptr}, {"time", iso_time(system_clock().now())}}.dump() + "\n";
}

// Overwrites the text before it cuts the file, because a full file system has room for that.
Result<> write_text(const Fd& file, const std::string& path, const std::string& text) {
  if (::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file.get(), static_cast<off_t>(text.size())) != 0)
    return fail_errno("writing {}", path);
  return {};
}

Result<Fd> open_lease(const std::string& path, int flags = 0) {
  Fd file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600)};
  if (!file) return fail_errno("opening {}", path);
  return file;
}

// Returns false if another opener holds the file.
Result<bool> lock_file(const Fd& file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return fail_errno("locking {}", path);
}

tl::unexpected<Error> refuse_unknown(const std::string& path) {
  return fail(EBUSY,
              "{}/{} does not say who writes there; if nobody does, write 'take-over why=TEXT' to the "
              "repository's control",
              path, kLease);
}

// A lease as it was found.
struct LeaseFile {
  Fd file;
  bool is_locked_by_us = false;
  Result<std::optional<Holder>> text;
};

Result<LeaseFile> find_lease(const Directory& directory, const std::string& lease) {
  LeaseFile found;
  HF_TRY(found.file, open_lease(lease));
  HF_TRY(found.is_locked_by_us, lock_file(found.file, lease));
  found.text = holder_of(directory);
  if (!found.text && found.text.error().code != EPROTO) return tl::make_unexpected(found.text.error());
  return found;
}

// Whether a process that this host runs holds the lease. The lock of another process may as well be that of
// another host, or of this host before its last start.
bool lives_here(const LeaseFile& found, const Holder& us) {
  if (!found.text || !*found.text) return false;
  const Holder& holder = **found.text;
  if (found.is_locked_by_us) return is_alive(holder, us) && !is_same_process(holder, us);
  return is_same_boot(holder, us) || (is_of_earlier_version(holder) && is_same_host(holder, us));
}

Result<> judge(const std::string& path, const LeaseFile& found, const Holder& us, Taking taking) {
  const std::optional<Holder> holder = found.text ? *found.text : std::nullopt;
  if (holder && !found.is_locked_by_us && is_same_process(*holder, us))
    return fail(EBUSY, "{} was opened anew while work of this daemon still holds its lease; try again", path);
  if (lives_here(found, us))
    return fail(EBUSY,
                "another daemon writes to {}: {}; end that process, or let this one only read there "
                "(\"read_only\": true)",
                path, sentence_of(*holder));
  if (!holder && !found.is_locked_by_us)
    return fail(EBUSY, "another process is about to write to {}; try again", path);
  if (taking == Taking::by_word) return {};
  if (!found.text) return refuse_unknown(path);
  if (!holder || (found.is_locked_by_us && is_same_host(*holder, us))) return {};
  return fail(EBUSY,
              "another daemon may write to {}: {}, has not given its lease back; if it writes no more, write "
              "'take-over why=TEXT' to the repository's control",
              path, sentence_of(*holder));
}

// Another may take the lease at the same time; what the directory has then decides.
Result<> check_text(const Directory& directory, const std::string& path, const Holder& us) {
  const auto found = holder_of(directory);
  if (!found && found.error().code == ENOENT)
    return fail(EBUSY, "{}/{} is gone, so that this daemon does not know whether another one writes there",
                path, kLease);
  if (!found && found.error().code == EPROTO) return refuse_unknown(path);
  HF_CHECK(found);
  if (*found && (*found)->token == us.token) return {};
  if (*found)
    return fail(EBUSY, "{} was taken over by {}; this daemon writes there no more", path,
                sentence_of(**found));
  return fail(EBUSY, "{} was taken over by another daemon, which has ended; try again", path);
}

}  // namespace

std::string sentence_of(const Holder& holder) {
  return fmt::format("{}, at host {}, since {}", holder.owner, holder.host, holder.since);
}

// Blanks and zeros are what a power failure may leave of a text that was being written.
Result<std::optional<Holder>> holder_of(const Directory& directory) {
  HF_TRY(const std::string text, read_small_file(directory, kLease, kLongestText));
  if (text.find_first_not_of(std::string_view{" \n\0", 3}) == std::string::npos) return std::nullopt;
  const auto said = json::parse_outside(text);
  if (!said || !said->is_object() || !said->contains("owner")) return fail(EPROTO, "{} is damaged", kLease);
  if (said->at("owner").is_null()) return std::nullopt;
  const auto word = [&](const char* key, const char* none = "") {
    const auto value = said->value(key, nlohmann::json());
    return value.is_string() ? cut(on_one_line(value.get<std::string>()), kLongestQuote) : none;
  };
  const auto number = [&]<class Number>(const char* key, Number none) {
    const auto value = said->value(key, nlohmann::json());
    return value.is_number_unsigned() ? value.get<Number>() : none;
  };
  return Holder{.owner = word("owner", "an unknown process"),
                .host = word("host", "unknown"),
                .since = word("time", "an unknown time"),
                .machine = word("machine"),
                .boot = word("boot"),
                .process = number("process", std::int64_t{0}),
                .started = number("started", std::uint64_t{0}),
                .token = word("token")};
}

Result<std::unique_ptr<Lease>> Lease::take(const Directory& directory, const std::string& path,
                                           Taking taking) {
  const std::string lease = path + "/" + kLease;
  const Holder us = this_process();
  HF_TRY(LeaseFile found, find_lease(directory, lease));
  HF_CHECK(judge(path, found, us, taking));

  const bool is_anew = taking == Taking::by_word;
  const std::string anew = path + "/" + kNewLease;
  if (is_anew) {
    ::unlink(anew.c_str());  // a killed process may have left it
    HF_TRY(found.file, open_lease(anew, O_EXCL));
    HF_CHECK(lock_file(found.file, anew));
  }
  HF_CHECK(write_text(found.file, lease, text_of(us)));
  if (::fdatasync(found.file.get()) != 0) return fail_errno("syncing {}", lease);  // other hosts see it then
  if (is_anew && ::rename(anew.c_str(), lease.c_str()) != 0) return fail_errno("replacing {}", lease);
  HF_CHECK(check_text(directory, path, us));
  std::optional<Holder> former = found.text ? *found.text : std::nullopt;
  if (former && is_same_process(*former, us)) former.reset();
  return std::unique_ptr<Lease>(new Lease(directory, path, std::move(found.file), us, std::move(former)));
}

Result<std::optional<Holder>> Lease::may_be_taken_over(const Directory& directory, const std::string& path) {
  HF_TRY(const LeaseFile found, find_lease(directory, path + "/" + kLease));
  HF_CHECK(judge(path, found, this_process(), Taking::by_word));
  return found.text.value_or(std::nullopt);
}

Lease::Lease(const Directory& directory, std::string path, Fd file, Holder us, std::optional<Holder> former)
    : directory_(directory),
      path_(std::move(path)),
      file_(std::move(file)),
      us_(std::move(us)),
      former_(std::move(former)) {}

Lease::~Lease() {
  if (!check()) return;
  if (const auto given_back = write_text(file_, path_ + "/" + kLease, text_of_nobody()); !given_back)
    log::warning("{}", given_back.error().message);
}

Result<> Lease::check() const { return check_text(directory_, path_, us_); }

}  // namespace holdfast::repository
