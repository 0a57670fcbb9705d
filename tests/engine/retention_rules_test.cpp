// Compares the rules with a plain and slow rewrite over 10,000 random histories.
#include "engine/retention/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <functional>
#include <set>

#include "tests/lib/random.h"

namespace holdfast::retention {
namespace {

using namespace std::chrono_literals;
using test::Random;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kNow{1'800'000'000s};  // 2027-01-15, a Friday

// The rules as a user would state them, each computed from nothing: calendars by strftime, places by
// counting.
class Oracle {
 public:
  Oracle(const std::vector<Candidate>& points, Time now, const std::optional<Retirement>& retirement)
      : points_(points), now_(now), retirement_(retirement) {}

  std::set<Reason> of(const Candidate& point) const {
    std::set<Reason> reasons(point.held.begin(), point.held.end());
    if (retirement_) {
      if (now_ < retirement_->at + retirement_->keep) reasons.insert(Reason::retired);
      return reasons;
    }
    const bool says_something =
        point.policy && !(*point.policy == PolicyDefinition{.retries = point.policy->retries});
    if (!says_something) {
      reasons.insert(Reason::no_policy);
      return reasons;
    }
    const auto among = with(point);
    if (const auto keep = point.policy->keep_last; keep && newer_than(point, among) < *keep)
      reasons.insert(Reason::last);
    period(Reason::hourly, point.policy->keep_hourly, "%Y-%m-%d %H", point, among, reasons);
    period(Reason::daily, point.policy->keep_daily, "%Y-%m-%d", point, among, reasons);
    period(Reason::weekly, point.policy->keep_weekly, "%G-%V", point, among, reasons);
    period(Reason::monthly, point.policy->keep_monthly, "%Y-%m", point, among, reasons);
    period(Reason::yearly, point.policy->keep_yearly, "%Y", point, among, reasons);
    if (now_ - point.time < point.policy->min_age) reasons.insert(Reason::min_age);
    return reasons;
  }

 private:
  using Points = std::vector<const Candidate*>;

  // Returns the good points of its series, and the point itself.
  Points with(const Candidate& point) const {
    Points among;
    for (const Candidate& other : points_) {
      const bool same =
          other.series.flow == point.series.flow && other.series.repository == point.series.repository;
      if (&other == &point || (same && other.good && other.policy)) among.push_back(&other);
    }
    return among;
  }

  static bool newer(const Candidate& a, const Candidate& b) {
    return a.time > b.time || (a.time == b.time && a.id > b.id);
  }

  static int newer_than(const Candidate& point, const Points& among) {
    int count = 0;
    for (const Candidate* other : among) count += newer(*other, point) ? 1 : 0;
    return count;
  }

  static std::string calendar(Time time, const char* format) {
    const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    char text[64];
    return {text, std::strftime(text, sizeof text, format, &utc)};
  }

  static void period(Reason reason, std::optional<int> keep, const char* format, const Candidate& point,
                     const Points& among, std::set<Reason>& reasons) {
    if (!keep) return;
    const std::string its = calendar(point.time, format);
    std::set<std::string> later;
    for (const Candidate* other : among) {
      if (!newer(*other, point)) continue;
      const std::string period = calendar(other->time, format);
      if (period == its) return;  // another point is newer in this period
      later.insert(period);
    }
    if (static_cast<int>(later.size()) < *keep) reasons.insert(reason);
  }

  const std::vector<Candidate>& points_;
  const Time now_;
  const std::optional<Retirement> retirement_;
};

PolicyDefinition random_policy(Random& random) {
  PolicyDefinition policy;
  for (auto keep :
       {&PolicyDefinition::keep_last, &PolicyDefinition::keep_hourly, &PolicyDefinition::keep_daily,
        &PolicyDefinition::keep_weekly, &PolicyDefinition::keep_monthly, &PolicyDefinition::keep_yearly})
    if (random.one_in(3)) policy.*keep = static_cast<int>(random.between(1, 12));
  if (random.one_in(4)) policy.min_age = std::chrono::hours{random.between(1, 24 * 40)};
  return policy;
}

std::vector<Candidate> random_history(Random& random) {
  const std::uint64_t flows = random.between(1, 3);
  std::vector<std::optional<PolicyDefinition>> policies(flows);
  for (auto& policy : policies)
    if (!random.one_in(5)) policy = random_policy(random);
  const std::chrono::minutes span{
      random.pick<std::uint64_t>(std::vector<std::uint64_t>{300, 5'000, 100'000, 2'000'000})};
  std::vector<Candidate> points;
  const std::uint64_t count = random.below(60);
  for (std::uint64_t i = 0; i < count; ++i) {
    Candidate point;
    point.id = static_cast<Id>(i + 1);
    // Times are whole minutes, so that some are equal; some lie in the future, as after a clock was put back.
    point.time = kNow + 60min - std::chrono::minutes{random.below(static_cast<std::uint64_t>(span.count()))};
    const std::uint64_t flow = random.below(flows);
    point.series = {static_cast<Id>(flow + 1), static_cast<Id>(random.between(1, 2))};
    point.policy = policies[flow];
    point.good = !random.one_in(6);
    if (random.one_in(12)) point.held.push_back(Reason::pinned);
    if (random.one_in(20)) point.held.push_back(Reason::open);
    points.push_back(point);
  }
  return points;
}

bool agree(const std::vector<Candidate>& points, const std::optional<Retirement>& retirement,
           const std::vector<Judgement>& judgements) {
  const Oracle oracle(points, kNow, retirement);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto expected = oracle.of(points[i]);
    if (judgements[i] != Judgement{points[i].id, {expected.begin(), expected.end()}}) return false;
  }
  return true;
}

TEST(RetentionRules, judgements_agree_with_the_oracle_over_ten_thousand_histories) {
  Random random;
  for (int i = 0; i < 10'000; ++i) {
    const auto points = random_history(random);
    std::optional<Retirement> retirement;
    if (random.one_in(10)) retirement = Retirement{kNow - std::chrono::hours{random.below(200)}, 100h};
    ASSERT_TRUE(agree(points, retirement, judge(points, kNow, retirement))) << "history " << i;
  }
}

TEST(RetentionRules, broken_rules_are_seen_by_the_oracle) {
  Random random;
  int seen = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto points = random_history(random);
    auto wrong = points;
    for (Candidate& point : wrong) point.good = true;  // as if bad points took places
    seen += agree(points, {}, judge(wrong, kNow, {})) ? 0 : 1;
  }
  EXPECT_GT(seen, 50);
}

Candidate made(Id id, Time time, const PolicyDefinition& policy) {
  return {.id = id, .time = time, .series = {1, 1}, .policy = policy};
}

TEST(RetentionRules, the_newest_point_of_each_period_is_kept) {
  const PolicyDefinition policy{.keep_daily = 2, .keep_monthly = 1};
  const auto judged = judge({made(1, kNow - 24h * 40, policy), made(2, kNow - 24h * 10, policy),
                             made(3, kNow - 1h, policy), made(4, kNow, policy)},
                            kNow, {});
  EXPECT_THAT(judged[0].reasons, IsEmpty());
  EXPECT_THAT(judged[1].reasons, ElementsAre(Reason::daily));
  EXPECT_THAT(judged[2].reasons, IsEmpty());
  EXPECT_THAT(judged[3].reasons, ElementsAre(Reason::daily, Reason::monthly));
}

TEST(RetentionRules, a_bad_point_takes_no_place_and_stays_while_good_ones_are_too_few) {
  const PolicyDefinition policy{.keep_last = 2};
  std::vector points{made(1, kNow - 5h, policy), made(2, kNow - 4h, policy), made(3, kNow - 3h, policy)};
  points[1].good = false;
  auto judged = judge(points, kNow, {});
  EXPECT_TRUE(judged[0].stays() && judged[1].stays() && judged[2].stays());
  points.push_back(made(4, kNow - 1h, policy));
  judged = judge(points, kNow, {});
  EXPECT_FALSE(judged[0].stays() || judged[1].stays());
  for (Candidate& point : points) point.good = false;
  for (const Judgement& judgement : judge(points, kNow, {})) EXPECT_TRUE(judgement.stays());
}

TEST(RetentionRules, all_points_stay_without_a_policy_or_under_an_empty_one) {
  std::vector points{made(1, kNow - 24h * 9000, {}), made(2, kNow, {.retries = 5})};
  points[0].policy.reset();
  for (const Judgement& judgement : judge(points, kNow, {}))
    EXPECT_THAT(judgement.reasons, ElementsAre(Reason::no_policy));
}

TEST(RetentionRules, points_of_a_retired_machine_go_when_its_time_is_over_unless_pinned) {
  std::vector points{made(1, kNow - 24h, {.keep_last = 5}), made(2, kNow, {.keep_last = 5})};
  points[0].held = {Reason::pinned};
  auto judged = judge(points, kNow, Retirement{kNow - 10h, 11h});
  EXPECT_THAT(judged[1].reasons, ElementsAre(Reason::retired));
  judged = judge(points, kNow, Retirement{kNow - 11h, 11h});
  EXPECT_THAT(judged[0].reasons, ElementsAre(Reason::pinned));
  EXPECT_FALSE(judged[1].stays());
}

}  // namespace
}  // namespace holdfast::retention
