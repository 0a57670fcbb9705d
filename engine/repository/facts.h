// facts.json beside a point's manifest: what may change of it, its last verification, pins and verdicts, and,
// since layers are merged, which image each disk lies in. Replaced by one rename (law 11). The catalog has
// them first; which points' facts a repository has not been told yet, it knows.
#pragma once

#include "catalog/base/disk.h"
#include "catalog/catalog.h"
#include "catalog/model/entities.h"

namespace holdfast::repository {

// A point's facts as they are now, into a repository that has it or a copy of it; none of one that has
// neither.
Result<> tell_facts(Catalog& catalog, Directory& directory, Id repository, Id point);
// Of points there that it has not been told of: some hundred of them, the next time the next ones.
Result<> tell_untold_facts(Catalog& catalog, Directory& directory, Id repository);

}  // namespace holdfast::repository
