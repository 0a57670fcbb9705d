# Puts the numbered SQL into the program, so that a daemon can't meet migrations of another version.
# Each NNNN_name.up.sql and NNNN_name.down.sql becomes a string in a generated source.
