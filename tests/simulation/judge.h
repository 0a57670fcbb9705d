// Compares what the daemon and its repositories say with what is true.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "engine/engine.h"
#include "tests/simulation/world.h"

namespace holdfast::simulation {

// Ends the life of the daemon, and the history, because a law is broken.
[[noreturn]] void find(const std::string& what);

// Belongs to one life of the daemon.
class Judge {
 public:
  explicit Judge(Engine& engine) : engine_(engine) {}

  // A point as the catalog lists it.
  struct Listed {
    Id id = 0;
    std::size_t machine = 0, repository = 0;
    std::string key, name, flow;
    bool pinned = false;
    std::vector<Named> disks;             // each disk's id in the point, and its name
    std::vector<std::string> change_ids;  // by disk
    std::vector<std::size_t> copies;      // repositories
  };

  // After each step: points are known, complete, and equal to what the disks held; nothing has gone that must
  // not.
  void look();
  // First looks of a life whose catalog, or repository, is an older copy.
  void look_at_older_catalog();
  void look_at_older_tree(std::size_t repository);
  // When nothing has been wrong for hours: every row has ended, and nothing is left at the sources or half
  // done.
  void look_at_rest();
  // Keeps a point open, as a user does, until it is closed. A point that was open until less than an hour ago
  // is not let go by a policy.
  void open(const Listed& point);
  void close_one(Dice& dice);
  void close_all();
  // Whether a person could not remove the point now (law 12).
  bool is_held(const Seen& seen) const;
  // Reads a point as a user does.
  void read(const Listed& point, const Seen& seen);

  // The points of the last look.
  const std::vector<Listed>& points() const { return points_; }
  Seen* seen(Id point);

 private:
  bool ask_catalog();
  void find_ahead();
  void meet(const Listed& point);
  // A place of a point, as it was last compared.
  struct Compared {
    std::string fault;               // "" if the place is whole
    std::set<std::string> rests_on;  // directories
  };
  Compared compare(const std::string& directory, const Listed& point, const Seen& seen);
  bool is_whole(const std::string& directory, const Listed& point, const Seen& seen);
  void compare_all();
  void find_removed();
  std::set<std::string> machines_in_doubt() const;
  std::string directory_of(const Seen& seen) const;
  void compare_forgotten();
  void find_unfinished();
  void find_captured();
  bool must_stay(const Seen& seen) const;
  bool was_open_lately(const Seen& seen) const;

  Engine& engine_;
  std::unique_ptr<db::Connection> connection_;
  std::vector<Listed> points_;
  std::int64_t unfinished_ = 0;
  std::optional<std::int64_t> idle_since_;
  std::set<std::string> begun_;               // directories of unfinished copies
  std::map<std::string, Compared> compared_;  // by a point's directory
  std::set<std::string> in_doubt_;  // directories of machines that differed from the catalog at the last look
  std::vector<std::pair<Id, std::shared_ptr<OpenedImage>>> opened_;
  struct Closing {
    std::int64_t spared_until = 0, wall = 0;
  };
  std::map<Id, Closing> closed_;
};

}  // namespace holdfast::simulation
