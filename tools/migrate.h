// holdfast migrate: status and maintenance of a catalog.
#pragma once

namespace holdfast {

// Does what the words say, the first of which is the call's own. Returns the exit status.
int migrate(int count, char** words);

}  // namespace holdfast
