// Tests of which job begins next: limits, priorities, turns.
#include "engine/runs/job_turns.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>

namespace holdfast::runs {
namespace {

// Works off a list of jobs one by one, as the runner takes them. Returns their flows in the order of their
// turns.
std::vector<Id> order_of(std::list<Work> waiting) {
  JobTurns turns;
  turns.set_limit(1);
  std::vector<Id> order;
  while (!waiting.empty()) {
    auto next = waiting.begin();
    if (!turns.is_for_the_oldest())
      for (auto one = waiting.begin(); one != waiting.end(); ++one)
        if (turns.goes_before(*one, *next)) next = one;
    turns.begins(*next);
    turns.ends(*next);
    order.push_back(next->flow);
    waiting.erase(next);
  }
  return order;
}

std::list<Work> jobs(Id flow, int count, int priority = 0) {
  std::list<Work> all;
  for (int i = 0; i < count; ++i) all.push_back({.flow = flow, .priority = priority});
  return all;
}

std::list<Work> joined(std::list<Work> first, std::list<Work> second) {
  first.splice(first.end(), second);
  return first;
}

TEST(JobTurns, flows_of_one_priority_take_turns) {
  EXPECT_EQ(order_of(joined(jobs(1, 3), jobs(2, 2))), (std::vector<Id>{1, 2, 1, 2, 1}));
}

TEST(JobTurns, a_flow_of_a_thousand_machines_delays_no_other) {
  const auto order = order_of(joined(jobs(1, 1000), jobs(2, 1)));
  EXPECT_EQ(std::ranges::find(order, 2) - order.begin(), 1);
}

TEST(JobTurns, one_boot_check_runs_at_once) {
  JobTurns turns;
  turns.set_limit(4);
  const Work check{.boots_guest = true}, other{};
  turns.begins(check);
  EXPECT_EQ(turns.full_for(check), WaitReason::boot_check_busy);
  EXPECT_EQ(turns.full_for(other), std::nullopt);
  turns.ends(check);
  EXPECT_EQ(turns.full_for(check), std::nullopt);
}

TEST(JobTurns, a_higher_priority_goes_first) {
  const auto order = order_of(joined(jobs(1, 3), jobs(2, 3, 5)));
  EXPECT_EQ(order, (std::vector<Id>{2, 2, 2, 1, 1, 1}));
}

TEST(JobTurns, a_low_priority_does_not_starve_below_a_higher_one_that_never_ends) {
  const auto order = order_of(joined(jobs(1, 10), jobs(2, 1000, 100)));
  const auto last = std::find(order.rbegin(), order.rend(), 1);
  EXPECT_LE(order.rend() - last, 10 * static_cast<int>(JobTurns::kOneOf));
}

TEST(JobTurns, jobs_that_users_ask_for_by_themselves_leave_half_of_the_places_to_others) {
  JobTurns turns;
  turns.set_limit(4);
  turns.set_limit_of(7, 2);
  const Work by_hand{.repository = 7, .asked_by = Asked{.uid = 1000, .object = 5}};
  const Work elsewhere{.repository = 8, .asked_by = Asked{.uid = 1000, .object = 5}};
  const Work of_flow{.flow = 1, .repository = 7, .asked_by = Asked{.uid = 1000, .object = 1}};
  const Work of_root{.repository = 7, .asked_by = Asked{.uid = 0, .object = 5}};
  EXPECT_EQ(turns.full_for(by_hand), std::nullopt);
  turns.begins(by_hand);
  EXPECT_EQ(turns.full_for(by_hand), WaitReason::max_jobs);
  turns.begins(elsewhere);
  EXPECT_EQ(turns.full_for(elsewhere), WaitReason::max_concurrent_jobs);
  EXPECT_EQ(turns.full_for(of_flow), std::nullopt);
  EXPECT_EQ(turns.full_for(of_root), std::nullopt);
  turns.ends(by_hand);
  turns.ends(elsewhere);
  EXPECT_EQ(turns.full_for(by_hand), std::nullopt);
}

TEST(JobTurns, one_place_is_enough_for_a_job_by_hand) {
  JobTurns turns;
  turns.set_limit(1);
  turns.set_limit_of(7, 1);
  EXPECT_EQ(turns.full_for({.repository = 7, .asked_by = Asked{.uid = 1000, .object = 5}}), std::nullopt);
}

TEST(JobTurns, the_limit_of_jobs_is_kept) {
  JobTurns turns;
  turns.set_limit(2);
  turns.set_limit_of(7, 1);
  const Work there{.repository = 7}, elsewhere{.repository = 8};
  EXPECT_EQ(turns.full_for(there), std::nullopt);
  turns.begins(there);
  EXPECT_EQ(turns.full_for(there), WaitReason::max_jobs);
  EXPECT_EQ(turns.full_for(elsewhere), std::nullopt);
  turns.begins(elsewhere);
  EXPECT_EQ(turns.full_for(elsewhere), WaitReason::max_concurrent_jobs) << "two run";
  turns.ends(there);
  EXPECT_EQ(turns.full_for(there), std::nullopt);
}

TEST(JobTurns, work_beside_the_others_waits_for_no_place_and_takes_none) {
  JobTurns turns;
  turns.set_limit(1);
  const Work drain{.beside = true};
  turns.begins(drain);
  EXPECT_EQ(turns.full_for({}), std::nullopt);
  turns.begins({});
  EXPECT_EQ(turns.full_for({}), WaitReason::max_concurrent_jobs);
  EXPECT_EQ(turns.full_for(drain), std::nullopt);
  turns.ends(drain);
  EXPECT_EQ(turns.full_for({}), WaitReason::max_concurrent_jobs) << "its end frees no place, either";
}

TEST(JobTurns, a_lowered_limit_holds_for_new_jobs) {
  JobTurns turns;
  turns.set_limit(3);
  for (int i = 0; i < 3; ++i) turns.begins({});
  turns.set_limit(1);
  turns.ends({});
  turns.ends({});
  EXPECT_EQ(turns.full_for({}), WaitReason::max_concurrent_jobs);
  turns.ends({});
  EXPECT_EQ(turns.full_for({}), std::nullopt);
}

}  // namespace
}  // namespace holdfast::runs
