// Constraints of the schema, how to remove one from the schema's text, and a database to try it on.
#pragma once

#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "catalog/db/migrations.h"
#include "tests/catalog/fixture.h"
#include "tests/catalog/schema_rows.h"

namespace holdfast::db {

// A constraint: its name here, and how to remove it from the schema's text. The pattern is compiled where it
// is used, because each test process makes all constraints and uses a few.
struct Constraint {
  std::string key;
  std::string table;    // table of the constraint's DDL; "" for the whole text
  std::string pattern;  // a std::regex
  std::string instead;
};

inline std::string escaped(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    if (std::string_view("()+*.?[]").find(c) != std::string_view::npos) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

inline Constraint check(const std::string& table, const std::string& name) {
  // The expression may span lines and nest parentheses three deep.
  constexpr const char* kInner = R"((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*)";
  return {"check " + table + " " + name, table, "CONSTRAINT " + name + R"(\s+CHECK\s*\()" + kInner + R"(\))",
          "CHECK (1)"};
}

inline Constraint unique_columns(const std::string& table, const std::string& columns) {
  return {"unique " + table + " " + columns, table, "(UNIQUE|PRIMARY KEY) " + escaped("(" + columns + ")"),
          "CHECK (1)"};
}

inline Constraint unique_column(const std::string& table, const std::string& column) {
  return {"unique " + table + " " + column, table, "(\n  " + column + " [^,\n]*) UNIQUE", "$1"};
}

inline Constraint unique_index(const std::string& table, const std::string& columns,
                               const std::string& name) {
  return {"unique " + table + " " + columns, "", "CREATE UNIQUE INDEX " + name + "[^;]*;", ""};
}

inline Constraint reference(const std::string& table, const std::string& columns) {
  const bool one = columns.find(',') == std::string::npos;
  const std::string begin =
      one ? "((?:\n  |, )" + columns + " [^,\n]*)" : "()FOREIGN KEY " + escaped("(" + columns + ")");
  return {"reference " + table + " " + columns, table,
          begin + R"(\s+REFERENCES \w+ \([^)]*\)( ON DELETE (CASCADE|RESTRICT|SET NULL))?)",
          one ? "$1" : "CHECK (1)"};
}

// Changes the action of a deletion: RESTRICT becomes CASCADE, the others are removed.
inline Constraint on_delete(const std::string& table, const std::string& columns, const std::string& action) {
  Constraint constraint = reference(table, columns);
  const bool one = columns.find(',') == std::string::npos;
  const std::string begin =
      one ? "((?:\n  |, )" + columns + " [^,\n]*" : "(FOREIGN KEY " + escaped("(" + columns + ")");
  constraint.key = "on delete " + table + " " + columns;
  constraint.pattern = begin + R"(\s+REFERENCES \w+ \([^)]*\)) ON DELETE )" + action;
  constraint.instead = action == "RESTRICT" ? "$1 ON DELETE CASCADE" : "$1";
  return constraint;
}

// The schema as all migrations leave it, as one script.
inline const std::string& schema_text() {
  static const std::string text = [] {
    const TemporaryDirectory directory;
    const auto connection = must(Connection::open(directory / "db", Mode::read_write));
    const auto known = embedded_migrations();
    must(migrate(*connection, known, static_cast<int>(known.size())));
    const auto column = [&](const std::string& sql) {
      std::string found;
      Statement rows = must(connection->prepare(sql));
      while (must(rows.step())) found += rows.text(0) + ";\n";
      return found;
    };
    std::string script = column(R"sql(
      SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name <> 'schema_migrations'
      ORDER BY type = 'trigger', type = 'index', rowid)sql");
    Statement tables = must(connection->prepare(R"sql(
      SELECT name FROM sqlite_schema AS found
      WHERE type = 'table' AND EXISTS (SELECT 1 FROM pragma_table_info(found.name) WHERE name = 'word'))sql"));
    while (must(tables.step()))
      script += column(
          fmt::format("SELECT 'INSERT INTO {0} VALUES (' || quote(word) || ')' FROM {0}", tables.text(0)));
    return script + "INSERT INTO totals VALUES (1, 0, 0, 0, 0, 0);\n";
  }();
  return text;
}

// Begin and end of one table's DDL in the schema's text.
inline std::pair<std::size_t, std::size_t> section_of(const std::string& schema, const std::string& table) {
  if (table.empty()) return {0, schema.size()};
  const auto begin = schema.find("CREATE TABLE " + table + " (");
  return {begin, schema.find("\n)", begin)};
}

inline std::string without(const Constraint& constraint) {
  const std::string schema = schema_text();
  const auto [begin, end] = section_of(schema, constraint.table);
  const std::string section = schema.substr(begin, end - begin);
  const std::string changed = std::regex_replace(section, std::regex(constraint.pattern), constraint.instead,
                                                 std::regex_constants::format_first_only);
  if (changed == section) throw std::runtime_error("the schema has no " + constraint.key);
  return schema.substr(0, begin) + changed + schema.substr(end);
}

// A database with that schema and the rows of schema_rows.h.
class Sample {
 public:
  explicit Sample(const std::string& schema) {
    must(connection->execute_script("PRAGMA synchronous = OFF"));
    const Migration migration{1, "sample", schema, ""};
    must(migrate(*connection, std::span(&migration, 1), 1));
    must(connection->execute_script("BEGIN"));
    must(connection->execute_script(kSchemaRows));
    must(connection->execute_script("COMMIT"));
  }

  std::vector<std::string> column(const std::string& sql) {
    Statement rows = must(connection->prepare(sql));
    std::vector<std::string> texts;
    while (must(rows.step())) texts.push_back(rows.text(0));
    return texts;
  }

  TemporaryDirectory directory;
  std::unique_ptr<Connection> connection = must(Connection::open(directory / "db", Mode::read_write));
};

struct Law {
  Constraint constraint;
  std::string change;
  std::optional<Kind> refused_as;  // absent: the change is accepted,
  std::string query;               // and this
  std::string answer;              // answers so
};

// A group of laws is one test; schema_laws.cpp has them all.
struct Group {
  const char* name;
  std::vector<Law> laws;
};
const std::vector<Group>& law_groups();

}  // namespace holdfast::db
