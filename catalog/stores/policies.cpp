#include "catalog/stores/policies.h"

namespace holdfast {

Result<Policy> Policies::add(std::string_view name, const Ownership& ownership, Time now) {
  return insert<Policy>(name, ownership, now);
}

Result<Policy> Policies::get(Id id) { return load<Policy>(id); }

Result<> Policies::define(Id id, const PolicyDefinition& definition, Time now) {
  return store(id, stored_text(definition), now);
}

Result<std::vector<Id>> Policies::users(Id id) {
  HF_TRY(auto found, db_.prepare("SELECT id FROM flows WHERE policy_id = :id"));
  return all_rows(found.bind(":id", id), read_id);
}

Result<std::vector<Id>> Policies::verifying() {
  HF_TRY(auto found, db_.prepare("SELECT id FROM policies WHERE verify_every IS NOT NULL ORDER BY id"));
  return all_rows(found, read_id);
}

Result<> Policies::remove(Id id) {
  HF_CHECK(check_unused("policy", "policy_id", id));
  return erase(id);
}

}  // namespace holdfast
