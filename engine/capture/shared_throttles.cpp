#include "engine/capture/shared_throttles.h"

#include "catalog/stores/sources.h"
#include "engine/capture/throttle.h"

namespace holdfast::capture {

Result<std::vector<std::shared_ptr<Throttle>>> shared_throttles(const Services& services,
                                                                const Machine& machine,
                                                                const Repository& repository) {
  std::vector throttles{services.throttles.of(repository.id, repository.definition.bandwidth),
                        services.throttles.of(machine.id, machine.definition.bandwidth)};
  if (!machine.source_id) return throttles;
  HF_TRY(const Source source,
         services.catalog.read([&](db::Connection& db) { return Sources(db).get(*machine.source_id); }));
  throttles.push_back(services.throttles.of(source.id, source.definition.bandwidth));
  return throttles;
}

}  // namespace holdfast::capture
