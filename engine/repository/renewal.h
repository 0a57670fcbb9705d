// Gives a repository that an earlier version has written the present texts for people (law 10).
#pragma once

#include "catalog/catalog.h"
#include "engine/repository/place.h"

namespace holdfast::repository {

// Writes INDEX.txt, and RESTORE.txt of every point and copy there, where they differ from the present text.
// INDEX.txt comes last and vouches for the others, so that a repository without an old text costs one small
// read.
Result<> renew_documents(Catalog& catalog, Directory& directory, Id repository);

}  // namespace holdfast::repository
