// Writes facts.json beside a point's manifest, replaced by one rename (law 11). It holds what may change: the
// last verification and boot check, pins, verdicts, whether the change ids are trusted, whether a copy has
// become the point, and the image of each disk, since merges change it. A picture of the guest's screen, from
// its boot check, is screenshot.png. The catalog is written first and remembers which facts a repository
// lacks. Callers have checked that the catalog is no older copy (sequence.h).
#pragma once

#include "catalog/catalog.h"
#include "catalog/model/entities.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

constexpr std::size_t kLargestScreenshot = 2 * kMiB;

// Writes the facts of the point into a repository that holds the point or a copy of it; does nothing
// elsewhere.
Result<> tell_facts(Catalog& catalog, const Place& place, Id repository, Id point);
// Writes them unless the place is away or read-only, or the catalog may be an older copy; logs a failure,
// because they are written later.
void tell_facts_if_able(Catalog& catalog, const Result<std::shared_ptr<Place>>& place, Id repository,
                        Id point);
// Writes facts that the repository lacks, of about a hundred points per call.
Result<> tell_untold_facts(Catalog& catalog, const Place& place, Id repository);

}  // namespace holdfast::repository
