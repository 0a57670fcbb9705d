// holdfast inspect IMAGE [--json]: prints facts about an image, and whether Holdfast can import the image.
#pragma once

namespace holdfast {

// Takes the words after `inspect` and returns the exit status. 0: the image can be imported. 1: the image
// can't be imported or read; standard error has the reason. 2: the command line is wrong.
int inspect(int count, char** words);

// Text of `holdfast inspect --help`.
extern const char* const kInspectUsage;

}  // namespace holdfast
