// New catalogs for tests that are not about migrations: copies of one that is made once a process, because
// migrations take most of the time of a short test.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "catalog/catalog.h"
#include "tests/lib/must.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

inline void put_new_catalog(const std::string& path) {
  static const TemporaryDirectory directory;
  static const std::string empty = [] {
    const std::string made = directory / "empty.sqlite";
    must(Catalog::open(made));
    return made;
  }();
  std::filesystem::copy_file(empty, path);
}

inline std::unique_ptr<Catalog> open_new_catalog(const std::string& path) {
  put_new_catalog(path);
  return must(Catalog::open(path));
}

}  // namespace holdfast::test
