#include "engine/verify/share.h"

#include <algorithm>
#include <tuple>

#include "catalog/base/id_time.h"

namespace holdfast::verify {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Time since(const Readings::ReadLayer& layer, const std::map<Id, Time>& tried, Time now) {
  Time latest{};
  const auto consider = [&](Time at) {
    if (at <= now) latest = std::max(latest, at);
  };
  consider(layer.read_at.value_or(time_of_id(layer.id)));
  if (const auto failed = tried.find(layer.id); failed != tried.end()) consider(failed->second);
  return latest;
}

}  // namespace

std::map<Id, Portion> portions_of(const std::vector<Readings::ReadLayer>& layers,
                                  const std::vector<Readings::Shown>& shown,
                                  const std::map<Id, seconds>& spans, const std::map<Id, Time>& tried,
                                  Time now) {
  std::map<Id, std::optional<Id>> parents;
  for (const auto& layer : layers) parents[layer.id] = layer.parent;
  std::map<Id, Id> policies;  // by layer
  for (const auto& [top, policy] : shown) {
    const auto span = spans.find(policy);
    if (span == spans.end()) continue;
    for (std::optional<Id> at = top; at && parents.contains(*at); at = parents.at(*at)) {
      const auto [its, is_new] = policies.try_emplace(*at, policy);
      if (is_new) continue;
      if (std::pair(spans.at(its->second), its->second) <= std::pair(span->second, policy)) break;
      its->second = policy;
    }
  }
  std::map<Id, Portion> portions;
  for (const auto& layer : layers) {
    const auto policy = policies.find(layer.id);
    if (policy == policies.end()) continue;
    Portion& portion = portions[policy->second];
    portion.every = spans.at(policy->second);
    portion.bytes += layer.bytes;
    const bool outdated = layer.sound && layer.read_at.value_or(Time{}) + portion.every + kGrace < now;
    portion.layers.push_back({layer.id, layer.bytes, since(layer, tried, now), outdated});
  }
  for (auto& [policy, portion] : portions)
    std::ranges::sort(portion.layers, {}, [](const Due& due) { return std::tuple(due.since, due.layer); });
  return portions;
}

Time bounded(std::optional<Time> done_until, const Portion& portion, milliseconds backlog, Time now) {
  std::uint64_t largest = 0;
  for (const Due& due : portion.layers) largest = std::max(largest, due.bytes);
  return std::clamp(done_until.value_or(now - backlog), now - backlog, moved(now, portion, largest));
}

// Rounds down, so that no reading comes late.
Time moved(Time done_until, const Portion& portion, std::uint64_t bytes) {
  if (portion.bytes == 0) return done_until;
  const std::chrono::duration<double, std::milli> span = portion.every;
  const double share = static_cast<double>(bytes) / static_cast<double>(portion.bytes);
  return done_until + std::chrono::floor<milliseconds>(span * share);
}

std::vector<Due> due_now(const Portion& portion, Time done_until, Time now) {
  std::vector<Due> due;
  for (const Due& layer : portion.layers) {
    if (done_until >= now) break;
    due.push_back(layer);
    done_until = moved(done_until, portion, layer.bytes);
  }
  return due;
}

}  // namespace holdfast::verify
