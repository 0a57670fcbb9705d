// holdfast inspect IMAGE [--json]: what an image is, and whether Holdfast can import it.
#pragma once

namespace holdfast {

// The words that follow `inspect`. The exit status: 0 when it can be imported, 1 when it can't or can't be
// looked at (standard error has the sentence), 2 when the command line is wrong.
int inspect(int count, char** words);

// For the program's own help.
extern const char* const kInspectUsage;

}  // namespace holdfast
