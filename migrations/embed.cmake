# Puts the numbered SQL into the program, so that a daemon can't meet migrations of another version.
# migrations/sqlite/NNNN_name.up.sql and NNNN_name.down.sql become one generated source.

file(GLOB HOLDFAST_MIGRATION_FILES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/migrations/sqlite/*.sql)
list(SORT HOLDFAST_MIGRATION_FILES)
set(HOLDFAST_MIGRATIONS_SOURCE ${PROJECT_BINARY_DIR}/embedded_migrations.cpp)

set(entries "")
foreach(up IN LISTS HOLDFAST_MIGRATION_FILES)
  if(NOT up MATCHES "/([0-9]+)_([a-z0-9_]+)\\.up\\.sql$")
    continue()
  endif()
  set(number ${CMAKE_MATCH_1})
  set(migration_name ${CMAKE_MATCH_2})
  string(REGEX REPLACE "^0+" "" version ${number})
  string(REPLACE ".up.sql" ".down.sql" down ${up})
  file(READ ${up} up_text)
  file(READ ${down} down_text)
  string(APPEND entries
    "    {${version}, \"${migration_name}\", R\"sql(${up_text})sql\", R\"sql(${down_text})sql\"},\n")
endforeach()
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${HOLDFAST_MIGRATION_FILES})

file(CONFIGURE OUTPUT ${HOLDFAST_MIGRATIONS_SOURCE} @ONLY CONTENT [[
// Generated from migrations/sqlite by migrations/embed.cmake.
#include "catalog/db/migrations.h"

namespace holdfast::db {

std::span<const Migration> embedded_migrations() {
  static const Migration migrations[] = {
@entries@  };
  return migrations;
}

}  // namespace holdfast::db
]])
