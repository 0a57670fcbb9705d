#include "catalog/stores/policies.h"

namespace holdfast {
namespace {

Result<Policy> read_policy(db::Statement& statement) {
  Policy policy;
  PolicyDefinition& definition = policy.definition;
  std::optional<std::chrono::seconds> span;
  std::optional<int> points;
  std::optional<CalendarPeriod> period;
  Row row(statement);
  read_object(row, policy, definition.description) >> definition.keep_last >> definition.keep_hourly >>
      definition.keep_daily >> definition.keep_weekly >> definition.keep_monthly >> definition.keep_yearly >>
      definition.min_age >> span >> definition.verify >> definition.boot_check >> definition.retries >>
      definition.sample >> definition.bandwidth >> points >> period;
  HF_CHECK(row.check());
  if (span) definition.full_every = *span;
  if (points) definition.full_every = *points;
  if (period) definition.full_every = *period;
  return policy;
}

// What the policy has, if it is of that kind.
template <class T>
std::optional<T> full_every(const PolicyDefinition& definition) {
  if (!definition.full_every || !std::holds_alternative<T>(*definition.full_every)) return std::nullopt;
  return std::get<T>(*definition.full_every);
}

db::Statement& bind_definition(db::Statement& statement, const PolicyDefinition& definition) {
  return statement.bind(":description", or_null(definition.description))
      .bind(":keep_last", definition.keep_last)
      .bind(":keep_hourly", definition.keep_hourly)
      .bind(":keep_daily", definition.keep_daily)
      .bind(":keep_weekly", definition.keep_weekly)
      .bind(":keep_monthly", definition.keep_monthly)
      .bind(":keep_yearly", definition.keep_yearly)
      .bind(":min_age", number(definition.min_age))
      .bind(":full_every", number(full_every<std::chrono::seconds>(definition)))
      .bind(":full_every_points", full_every<int>(definition))
      .bind(":full_every_period", word_or_null(full_every<CalendarPeriod>(definition)))
      .bind(":verify", word_or_null(definition.verify))
      .bind(":boot_check_every", number(definition.boot_check))
      .bind(":retries", definition.retries)
      .bind(":sample_percent", definition.sample)
      .bind(":bandwidth", number(definition.bandwidth));
}

}  // namespace

Result<Policy> Policies::add(std::string_view name, const Ownership& ownership, Time now) {
  Policy policy;
  HF_TRY(static_cast<Object&>(policy), make(name, ownership, now));
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO policies (id, name, uid, gid, mode, complete, revision, created_at, changed_at,
                          description, keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly,
                          keep_yearly, min_age, full_every, verify, boot_check_every, retries,
                          sample_percent, bandwidth, full_every_points, full_every_period)
    VALUES (:id, :name, :uid, :gid, :mode, :complete, :revision, :created_at, :changed_at, :description,
            :keep_last, :keep_hourly, :keep_daily, :keep_weekly, :keep_monthly, :keep_yearly, :min_age,
            :full_every, :verify, :boot_check_every, :retries, :sample_percent, :bandwidth,
            :full_every_points, :full_every_period))sql"));
  const auto done = bind_definition(bind_object(insert, policy), policy.definition).run();
  if (!done) return tl::make_unexpected(taken(done.error(), name));
  return policy;
}

Result<Policy> Policies::get(Id id) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, name, uid, gid, mode, complete, revision, created_at, changed_at, description,
           keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly, min_age, full_every,
           verify, boot_check_every, retries, sample_percent, bandwidth, full_every_points, full_every_period
    FROM policies WHERE id = :id)sql"));
  HF_TRY(auto policy, first_row(found.bind(":id", id), read_policy));
  if (!policy) return tl::make_unexpected(missing(id));
  HF_TRY(policy->definition.tags, texts("tag", id));
  return std::move(*policy);
}

Result<> Policies::define(Id id, const PolicyDefinition& definition, Time now) {
  HF_TRY(auto update, db_.prepare(R"sql(
    UPDATE policies
    SET complete = 1, revision = :revision, changed_at = :now, description = :description,
        keep_last = :keep_last, keep_hourly = :keep_hourly, keep_daily = :keep_daily,
        keep_weekly = :keep_weekly, keep_monthly = :keep_monthly, keep_yearly = :keep_yearly,
        min_age = :min_age, full_every = :full_every, verify = :verify,
        boot_check_every = :boot_check_every, retries = :retries, sample_percent = :sample_percent,
        bandwidth = :bandwidth, full_every_points = :full_every_points, full_every_period = :full_every_period
    WHERE id = :id)sql"));
  HF_CHECK(bind_definition(update, definition)
               .bind(":revision", new_id())
               .bind(":now", milliseconds(now))
               .bind(":id", id)
               .run());
  return defined(id, db_.changes() > 0, definition.tags);
}

Result<std::int64_t> Policies::users(Id id) {
  HF_TRY(auto found, db_.prepare("SELECT count(*) FROM flows WHERE policy_id = :id"));
  HF_TRY(const auto users, first_row(found.bind(":id", id), read_id));
  return users.value_or(0);
}

Result<> Policies::remove(Id id) { return erase(id); }

}  // namespace holdfast
