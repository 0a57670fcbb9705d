#include "engine/schedule/agenda.h"

#include <algorithm>

#include "catalog/stores/recovered.h"

namespace holdfast::schedule {

Result<std::optional<Time>> Agenda::look() {
  HF_TRY(const auto recovered, catalog_.read([](db::Connection& db) { return recovered_at(db); }));
  if (recovered) return std::nullopt;
  auto next = look_at(clock_.now());
  if (!next) {
    planner_.forget();
    starts_.forget();
  }
  return next;
}

Result<std::optional<Time>> Agenda::look_at(Time now) {
  HF_TRY(const auto planned, planner_.look(now));
  for (const Planned& one : planned) starts_.add(one);
  HF_CHECK(starts_.look(now));
  HF_TRY(const auto due, planner_.next_due());
  const auto start = starts_.next();
  return due && start ? std::min(due, start) : due ? due : start;
}

}  // namespace holdfast::schedule
