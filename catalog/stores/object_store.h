#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/definition_json.h"
#include "catalog/model/entities.h"
#include "catalog/stores/row.h"

namespace holdfast {

// The part that the stores of all objects share: their common columns, names, owners, definitions. Lives
// inside one transaction. Every change of a definition is noted for the repositories (definition_changes.h).
class ObjectStore {
 public:
  Result<std::optional<Id>> find(std::string_view name);
  Result<Id> resolve(std::string_view name);                // ENOENT, naming it
  Result<std::vector<Named>> list();                        // by name
  Result<std::vector<Id>> after(Id id, int at_most);        // the next ones, by age
  Result<std::string> name_of(Id id);                       // ENOENT
  Result<Ownership> ownership(Id id);                       // ENOENT
  Result<> rename(Id id, std::string_view name, Time now);  // EEXIST; references to it follow
  Result<> set_ownership(Id id, const Ownership& ownership, Time now);

 protected:
  struct Kind {
    DefinitionKind kind;
    std::string_view many;  // "machines": the table
  };

  ObjectStore(db::Connection& connection, Kind kind) : db_(connection), kind_(kind) {}
  ~ObjectStore() = default;

  // Adds an object without a definition. `key` is the value of the column of that name, where the table has
  // one.
  template <class Entity>
  Result<Entity> insert(std::string_view name, const Ownership& ownership, Time now,
                        std::optional<std::string_view> key = std::nullopt) {
    Entity entity;
    HF_TRY(static_cast<Object&>(entity), insert_row(name, ownership, now, key));
    return entity;
  }

  // Reads an object. `columns` are those that its kind has besides the common ones, as ", key"; `read_more`
  // takes them from the row, references into the definition.
  template <class Entity, class ReadMore>
  Result<Entity> load(Id id, std::string_view columns, ReadMore read_more) {
    HF_TRY(auto found, db_.prepare(select(columns)));
    HF_TRY(auto entity, first_row(found.bind(":id", id), [&](db::Statement& statement) -> Result<Entity> {
             Entity read;
             std::optional<std::string> definition;
             Row row(statement);
             read_common(row, read, definition);
             if (definition) {
               auto stored = stored_definition<decltype(read.definition)>(*definition);
               if (!stored)
                 return within(stored.error(), "the stored definition of {} '{}'", one(), read.name);
               read.definition = std::move(*stored);
             }
             read_more(row, read);
             HF_CHECK(row.check());
             return read;
           }));
    if (!entity) return tl::make_unexpected(missing(id));
    return std::move(*entity);
  }
  template <class Entity>
  Result<Entity> load(Id id) {
    return load<Entity>(id, "", [](Row&, Entity&) {});
  }

  // Stores the text as the object's definition. `assignments` are those of the kind's own columns, as
  // ", next_at = NULL"; `bind_more` binds their parameters.
  template <class BindMore>
  Result<> store(Id id, const std::string& definition, Time now, std::string_view assignments,
                 BindMore bind_more) {
    HF_TRY(auto update, db_.prepare(update_of(assignments)));
    bind_more(update);
    HF_CHECK(update.bind(":definition", definition)
                 .bind(":revision", new_id())
                 .bind(":now", milliseconds(now))
                 .bind(":id", id)
                 .run());
    return note_defined(id);
  }
  Result<> store(Id id, const std::string& definition, Time now, std::string_view assignments = "") {
    return store(id, definition, now, assignments, [](db::Statement&) {});
  }

  // Deletes the row. The store has made sure that nothing needs it.
  Result<> erase(Id id);

  // The names that a query for ":id" finds, in words: "", or "flow 'a', 'b' and 7 more".
  Result<std::string> users(std::string_view one, std::string_view query, Id id);
  // EBUSY, with the users and how they let it go, if a flow names the object in that field.
  Result<> check_unused(std::string_view field, std::string_view column, Id id);

  Error missing(Id id) const;  // ENOENT
  std::string_view one() const { return to_word(kind_.kind); }

  db::Connection& db_;

 private:
  Result<Object> insert_row(std::string_view name, const Ownership& ownership, Time now,
                            std::optional<std::string_view> key);
  std::string select(std::string_view columns) const;
  std::string update_of(std::string_view assignments) const;
  static void read_common(Row& row, Object& object, std::optional<std::string>& definition);
  Result<> note_defined(Id id);
  Error taken(const db::Error& error, std::string_view name) const;  // EEXIST when the name is taken

  Kind kind_;
};

}  // namespace holdfast
