// holdfast recover: a catalog from a repository and nothing else.
#pragma once

namespace holdfast {

int recover(int count, char** words);

}  // namespace holdfast
