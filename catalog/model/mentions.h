// Names of objects in sentences, so that a sentence can be told without the names that its reader may not
// know (law 19). A sentence that users can read names an object as "machines/m" or as "machine 'm'".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast {

// Tells whether the text has the name as a whole word.
bool has_name(std::string_view text, std::string_view name);

// Tells whether the reader may know the object at a path like "machines/m"; nullopt: there is no such object.
using MayKnow = std::function<std::optional<bool>(const std::string& path)>;

// The age of a sentence. In an old one, a name without an object may be a hidden object's former name. In a
// new one, it is a name that the reader has just given.
enum class Sentence { is_new, is_old };

// Returns the text with "…" in place of each name that the reader may not know, and of the path below it.
std::string without_names(std::string_view text, Sentence age, const MayKnow& may_know);

}  // namespace holdfast
