#include "engine/runs/notices.h"

#include <curl/curl.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "catalog/base/log.h"
#include "catalog/model/execution_json.h"
#include "catalog/model/json_text.h"
#include "catalog/model/recipient.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "engine/common/audit.h"

namespace holdfast::runs {
namespace {

constexpr int kLookedBack = 100;  // executions to look at, to tell whether a success is a recovery

// Returns the status of the latest earlier execution that tells whether the flow's backups succeed.
Result<std::optional<RunStatus>> status_before(db::Connection& db, const Execution& execution) {
  Executions executions(db);
  HF_TRY(const auto newest, executions.newest(execution.flow_id, kLookedBack));
  for (const Named& one : newest) {
    if (one.id >= execution.id) continue;
    HF_TRY(const Execution earlier, executions.get(one.id));
    if (is_final(earlier.status) && earlier.status != RunStatus::cancelled) return earlier.status;
  }
  return std::nullopt;
}

bool concerns(NoticeWhen when, RunStatus status, std::optional<RunStatus> before) {
  switch (when) {
    case NoticeWhen::failure: return status == RunStatus::error;
    case NoticeWhen::warning: return status == RunStatus::warning;
    case NoticeWhen::recovery: return status == RunStatus::success && before && *before != RunStatus::success;
    case NoticeWhen::always: return true;
  }
  return false;
}

// Returns the host of a URL, without parts that may be secret.
std::string host_of(const std::string& url) {
  const auto host = url.find("//") + 2;
  const auto end = std::min(url.find_first_of("/?#", host), url.size());
  const auto user = url.rfind('@', end);
  return url.substr(0, host) + (user != std::string::npos && user > host
                                    ? url.substr(user + 1, end - user - 1)
                                    : url.substr(host, end - host));
}

}  // namespace

// The transfers in progress. Only the notices' thread may call, except for wake().
class Notices::Posts {
 public:
  Posts() : multi_(curl_multi_init()) {}
  ~Posts() {
    while (!transfers_.empty()) end(transfers_.begin()->first);
    curl_multi_cleanup(multi_);
    curl_slist_free_all(headers_);
  }
  Posts(const Posts&) = delete;
  Posts& operator=(const Posts&) = delete;

  void begin(Notice notice, std::chrono::milliseconds longest) {
    CURL* const easy = curl_easy_init();
    const auto entry = transfers_.emplace(easy, std::move(notice)).first;
    const Notice& kept = entry->second;
    curl_easy_setopt(easy, CURLOPT_URL, kept.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(kept.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, kept.body.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(longest.count()));
    // Only the answer's status counts; `refuse` ends the transfer at the first piece of the body.
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Posts::refuse);
    curl_multi_add_handle(multi_, easy);
  }

  // Waits for activity or the given time, then hands over the transfers that have ended.
  void wait(std::chrono::milliseconds at_most,
            const std::function<void(Notice&, const std::string& wrong, bool may_pass)>& ended) {
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(at_most.count()), nullptr);
    int running = 0;
    curl_multi_perform(multi_, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* const easy = message->easy_handle;
      const CURLcode code = message->data.result;
      long status = 0;
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
      Notice notice = end(easy);
      const bool answered =
          status >= 200;  // a status was received; the transfer's own error no longer matters
      if (!answered)
        ended(notice, curl_easy_strerror(code), true);
      else if (status < 200 || status >= 300)
        ended(notice, fmt::format("the server answers {}", status),
              status >= 500 || status == 408 || status == 429);
      else
        ended(notice, "", true);
    }
  }

  void wake() { curl_multi_wakeup(multi_); }  // may be called by any thread

 private:
  static std::size_t refuse(char*, std::size_t, std::size_t, void*) { return 0; }

  Notice end(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
    const auto entry = transfers_.find(easy);
    Notice notice = std::move(entry->second);
    transfers_.erase(entry);
    return notice;
  }

  CURLM* const multi_;
  curl_slist* const headers_ = curl_slist_append(nullptr, "Content-Type: application/json");
  std::map<CURL*, Notice> transfers_;
};

Notices::Notices(const capture::Services& services, Pace pace)
    : services_(services), pace_(pace), posts_(std::make_unique<Posts>()), thread_([this] { work(); }) {}

Notices::~Notices() { stop(); }

void Notices::execution_ended(const Execution& execution) {
  std::list<Notice> wanted;
  const auto asked = services_.catalog.read([&](db::Connection& db) -> Result<> {
    HF_TRY(const Flow flow, Flows(db).get(execution.flow_id));
    if (flow.definition.recipients.empty()) return {};
    HF_TRY(const auto before, status_before(db, execution));
    HF_TRY(const auto jobs, Jobs(db).of_execution(execution.id));
    auto body = execution_json(execution, flow.name, jobs);
    for (const std::string& written : flow.definition.recipients) {
      const auto recipient = parse_recipient(written);
      if (!recipient || !concerns(recipient->when, execution.status, before)) continue;
      body["notice"] = to_word(recipient->when);
      wanted.push_back({.execution = execution.id,
                        .path = fmt::format("flows/{}/executions/{}", flow.name, execution.name),
                        .url = recipient->url,
                        .body = json::compact(body)});
    }
    return {};
  });
  if (!asked)
    log::warning("the receivers of an execution's notices can't be read: {}", asked.error().message);
  if (wanted.empty()) return;
  std::list<Notice> too_many;
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    for (auto next = wanted.begin(); next != wanted.end();) {
      auto& to = waiting_.size() + under_way_ < pace_.most ? waiting_ : too_many;
      to.splice(to.end(), wanted, next++);
    }
  }
  posts_->wake();
  for (const Notice& notice : too_many)
    tell(notice, fmt::format("{} is not told: {} notices wait already", host_of(notice.url), pace_.most),
         false);
}

void Notices::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  posts_->wake();
  if (thread_.joinable()) thread_.join();
}

void Notices::work() {
  constexpr std::chrono::milliseconds kLongSleep = std::chrono::hours{1};
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const auto now = Steady::now();
    auto next = now + kLongSleep;
    for (auto notice = waiting_.begin(); notice != waiting_.end();) {
      if (notice->due > now) {
        next = std::min(next, notice->due);
        ++notice;
        continue;
      }
      posts_->begin(std::move(*notice), pace_.longest_try);
      ++under_way_;
      notice = waiting_.erase(notice);
    }
    const MutexUnlock unlocked(mutex_);
    posts_->wait(
        std::chrono::ceil<std::chrono::milliseconds>(next - now),
        [this](Notice& notice, const std::string& wrong, bool may_pass) { settle(notice, wrong, may_pass); });
  }
  for (const Notice& notice : waiting_)
    log::warning("{}: {} is not told of its end, because the daemon stops", notice.path, host_of(notice.url));
}

void Notices::settle(Notice& notice, const std::string& wrong, bool may_pass) {
  ++notice.tries;
  const bool again = !wrong.empty() && may_pass && notice.tries < pace_.tries;
  if (wrong.empty())
    tell(notice, fmt::format("{} is told", host_of(notice.url)), true);
  else if (!again)
    tell(notice, fmt::format("{} is not told: {} (tried {} times)", host_of(notice.url), wrong, notice.tries),
         false);
  const MutexLock lock(mutex_);
  --under_way_;
  if (!again) return;
  notice.due = Steady::now() + pace_.first_pause * (1 << (notice.tries - 1));
  waiting_.push_back(std::move(notice));
}

void Notices::tell(const Notice& notice, const std::string& text, bool delivered) {
  const auto told = services_.catalog.write([&](db::Connection& db) -> Result<> {
    const Time now = services_.clock.now();
    HF_TRY(const Execution execution, Executions(db).get(notice.execution));
    HF_CHECK(Logs(db).add(execution, now, text));
    if (delivered) return {};
    Event event = make_event(now, "notice", notice.path, {});
    event.execution = notice.path;
    event.result = EventResult::failed;
    event.reason = text;
    return record(db, event);
  });
  if (!told || !delivered) log::warning("{}: {}", notice.path, told ? text : told.error().message);
}

}  // namespace holdfast::runs
