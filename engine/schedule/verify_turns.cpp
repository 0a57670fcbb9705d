#include "engine/schedule/verify_turns.h"

#include <algorithm>
#include <utility>

#include "catalog/stores/policies.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"
#include "engine/repository/shelf.h"
#include "engine/runs/verify_share.h"
#include "engine/verify/share.h"

namespace holdfast::schedule {
namespace {

constexpr std::chrono::hours kPause{1};
constexpr std::chrono::days kMadeUpFor{1};

}  // namespace

Result<> VerifyTurns::look() {
  HF_TRY(const auto asking, this->asking());
  const Time now = services_.clock_watch.proven();
  if (!is_time(asking, now)) return {};
  HF_TRY(const auto repositories,
         services_.catalog.read([](db::Connection& db) { return Repositories(db).list(); }));
  for (const Named& repository : repositories) HF_CHECK(look_at(repository.id, asking, now));
  return {};
}

Result<std::map<Id, VerifyTurns::Asking>> VerifyTurns::asking() {
  return services_.catalog.read([](db::Connection& db) -> Result<std::map<Id, Asking>> {
    std::map<Id, Asking> found;
    HF_TRY(const auto recovered, recovered_at(db));
    if (recovered) return found;
    Policies policies(db);
    HF_TRY(const auto all, policies.verifying());
    for (const Id id : all) {
      HF_TRY(Policy policy, policies.get(id));
      HF_TRY(auto window, VerifyWindow::of(policy.definition.verify_window));
      found.emplace(id, Asking{std::move(policy), std::move(window)});
    }
    return found;
  });
}

bool VerifyTurns::is_time(const std::map<Id, Asking>& asking, Time now) {
  std::set<Id> open;
  for (const auto& [id, one] : asking)
    if (one.window.is_open(now)) open.insert(id);
  const auto before = std::exchange(open_, std::move(open));
  const bool opens = !std::ranges::includes(before, open_);
  const bool is_early = looked_at_ && *looked_at_ <= now && now < *looked_at_ + kPause;
  if (open_.empty() || (is_early && !opens)) return false;
  looked_at_ = now;
  return true;
}

Result<> VerifyTurns::look_at(Id repository, const std::map<Id, Asking>& asking, Time now) {
  std::map<Id, Time> tried;
  {
    const MutexLock lock(jobs_->mutex);
    if (jobs_->busy.contains(repository)) return {};
    tried = jobs_->tried;
  }
  HF_TRY(const Found found, find(repository, asking));
  std::map<Id, std::chrono::seconds> spans;
  for (const auto& [id, one] : asking) spans[id] = *one.policy.definition.verify_every;
  const auto portions = verify::portions_of(found.layers, found.shown, spans, tried, now);
  HF_CHECK(note_outdated(portions));
  std::optional<std::pair<Time, Id>> next;
  for (const auto& [policy, portion] : portions) {
    const auto backlog = kMadeUpFor + asking.at(policy).window.longest_pause();
    const Time done_until = verify::bounded(found.done_until.at(policy), portion, backlog, now);
    if (!open_.contains(policy) || done_until >= now) continue;
    next = std::min(next.value_or(std::pair(done_until, policy)), std::pair(done_until, policy));
  }
  if (!next) return {};
  return begin(repository, asking.at(next->second), portions.at(next->second), next->first, now);
}

Result<VerifyTurns::Found> VerifyTurns::find(Id repository, const std::map<Id, Asking>& asking) {
  return services_.catalog.read([&](db::Connection& db) -> Result<Found> {
    Readings readings(db);
    Found found;
    HF_TRY(found.layers, readings.layers(repository));
    HF_TRY(found.shown, readings.shown(repository));
    for (const auto& [policy, one] : asking) {
      HF_TRY(found.done_until[policy], readings.done_until(policy, repository));
    }
    return found;
  });
}

Result<> VerifyTurns::note_outdated(const std::map<Id, verify::Portion>& portions) {
  std::vector<Id> outdated;
  for (const auto& [policy, portion] : portions)
    for (const verify::Due& due : portion.layers)
      if (due.outdated) outdated.push_back(due.layer);
  if (outdated.empty()) return {};
  return services_.catalog.write([&](db::Connection& db) -> Result<> {
    for (const Id layer : outdated) {
      const auto noted = Readings(db).set_unsound(layer);
      if (!noted && noted.error().code != ENOENT) return noted;  // pruned meanwhile
    }
    return {};
  });
}

bool VerifyTurns::is_there(Id repository) {
  const auto row =
      services_.catalog.read([&](db::Connection& db) { return Repositories(db).get(repository); });
  return row && row->complete && services_.shelf.glance(*row);
}

// A job reads one layer whoever waits, so that a queue that never ends slows it and does not stop it.
std::function<bool()> VerifyTurns::going_on(Id repository, const VerifyWindow& window,
                                            std::shared_ptr<Guard> busy) {
  return [&clock = services_.clock_watch, &runner = runner_, repository, window, busy = std::move(busy),
          has_begun = false]() mutable {
    const bool gives_way = std::exchange(has_begun, true) && runner.is_place_wanted(repository);
    return !gives_way && window.is_open(clock.proven());
  };
}

Result<> VerifyTurns::begin(Id repository, const Asking& asking, verify::Portion portion, Time done_until,
                            Time now) {
  if (!is_there(repository)) return {};  // the repository's status says why
  const auto admission = runner_.admit();
  if (!admission) return {};  // draining or stopping
  {
    const MutexLock lock(jobs_->mutex);
    jobs_->busy.insert(repository);
  }
  // Freed with the work, however it ends.
  const auto busy = std::make_shared<Guard>([jobs = jobs_, repository] {
    const MutexLock lock(jobs->mutex);
    jobs->busy.erase(repository);
  });
  const auto& policy = asking.policy;
  runs::VerifyShare share{.policy = policy.id,
                          .repository = repository,
                          .policy_name = policy.name,
                          .portion = {},
                          .due = verify::due_now(portion, done_until, now),
                          .done_until = done_until,
                          .bandwidth = policy.definition.verify_bandwidth ? policy.definition.verify_bandwidth
                                                                          : policy.definition.bandwidth,
                          .may_go_on = going_on(repository, asking.window, busy),
                          .unread = [jobs = jobs_, now](const std::vector<Id>& layers) {
                            const MutexLock lock(jobs->mutex);
                            for (const Id layer : layers) jobs->tried[layer] = now;
                          }};
  portion.layers.clear();
  share.portion = std::move(portion);
  HF_TRY(auto work, runs::begin_verify_share(services_, std::move(share)));
  runner_.add(std::move(work));
  return {};
}

}  // namespace holdfast::schedule
