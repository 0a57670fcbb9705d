#include "engine/retention/rules.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "catalog/base/periods.h"

namespace holdfast::retention {
namespace {

struct Periodic {
  Reason reason;
  std::optional<int> PolicyDefinition::*keep;
  std::int64_t (*period)(Time);
};
constexpr std::array kPeriodic{
    Periodic{Reason::hourly, &PolicyDefinition::keep_hourly, hour_of},
    Periodic{Reason::daily, &PolicyDefinition::keep_daily, day_of},
    Periodic{Reason::weekly, &PolicyDefinition::keep_weekly, week_of},
    Periodic{Reason::monthly, &PolicyDefinition::keep_monthly, month_of},
    Periodic{Reason::yearly, &PolicyDefinition::keep_yearly, year_of},
};

bool is_newer(const Candidate* a, const Candidate* b) {
  return std::pair{a->time, a->id} > std::pair{b->time, b->id};
}

// The good points of one series, the newest first.
class Places {
 public:
  explicit Places(std::vector<const Candidate*> good) : good_(std::move(good)) {
    std::ranges::sort(good_, is_newer);
    for (std::size_t rule = 0; rule < kPeriodic.size(); ++rule)
      for (const Candidate* point : good_) {
        const std::int64_t period = kPeriodic[rule].period(point->time);
        auto& newest = newest_of_[rule];
        if (newest.empty() || newest.back().period != period) newest.push_back({period, point});
      }
  }

  // Returns the rules that keep the point; a bad point is judged as if it were good.
  std::vector<Reason> kept_by(const Candidate& point) const {
    std::vector<Reason> reasons;
    const PolicyDefinition& policy = *point.policy;
    const auto newer =
        std::ranges::partition_point(good_, [&](const Candidate* other) { return is_newer(other, &point); });
    if (policy.keep_last && newer - good_.begin() < *policy.keep_last) reasons.push_back(Reason::last);
    for (std::size_t rule = 0; rule < kPeriodic.size(); ++rule)
      if (const auto keep = policy.*kPeriodic[rule].keep; keep && has_place(rule, *keep, point))
        reasons.push_back(kPeriodic[rule].reason);
    return reasons;
  }

 private:
  struct Newest {
    std::int64_t period;
    const Candidate* point;
  };

  // Whether the point is the newest of its period and the period is among the newest `keep`.
  bool has_place(std::size_t rule, int keep, const Candidate& point) const {
    const std::int64_t period = kPeriodic[rule].period(point.time);
    const auto& newest = newest_of_[rule];
    const auto its =
        std::ranges::partition_point(newest, [&](const Newest& one) { return one.period > period; });
    if (its - newest.begin() >= keep) return false;
    return its == newest.end() || its->period != period || !is_newer(its->point, &point);
  }

  std::vector<const Candidate*> good_;
  std::array<std::vector<Newest>, kPeriodic.size()> newest_of_;
};

constexpr std::array<std::string_view, 17> kWords{
    "no_policy",   "last",    "hourly",   "daily",  "weekly", "monthly", "yearly", "min_age", "pinned",
    "newest_good", "vouched", "next_run", "copied", "whole",  "open",    "read",   "retired"};

}  // namespace

std::string_view to_word(Reason reason) { return kWords.at(static_cast<std::size_t>(reason)); }

std::vector<Judgement> judge(const std::vector<Candidate>& points, Time now,
                             const std::optional<Retirement>& retirement) {
  std::map<Series, std::vector<const Candidate*>> good;
  for (const Candidate& point : points)
    if (point.good && point.policy) good[point.series].push_back(&point);
  std::map<Series, Places> places;
  for (auto& [series, all] : good) places.emplace(series, std::move(all));
  const Places none{{}};

  std::vector<Judgement> judgements;
  for (const Candidate& point : points) {
    std::set<Reason> reasons(point.held.begin(), point.held.end());
    if (retirement && !retirement->is_over(now)) reasons.insert(Reason::retired);
    if (!retirement) {
      if (!point.policy || keeps_everything(*point.policy)) {
        reasons.insert(Reason::no_policy);
      } else {
        const auto its = places.find(point.series);
        const auto kept = (its == places.end() ? none : its->second).kept_by(point);
        reasons.insert(kept.begin(), kept.end());
        if (now - point.time < point.policy->min_age) reasons.insert(Reason::min_age);
      }
    }
    judgements.push_back({point.id, {reasons.begin(), reasons.end()}});
  }
  return judgements;
}

}  // namespace holdfast::retention
