#!/usr/bin/python3
"""Comments begin with a noun or a verb: the thing, or what the function does. A relative, a pronoun or "of" in its
place names nothing, so a reader has to decode the sentence.

    python3 tests/house/test_english.py --list FOLDER…    lists each comment below the folders that breaks the rule"""

import pathlib
import re
import sys
import unittest

import comments
import tree

RELATIVE = r"what|whatever|who|whoever|whom|whose|which|whichever|of|that|those|these"
PRONOUN = r"it|its|they|them|their|he|him|his|she|her|there|so|nor|else"
INDEFINITE = r"all|any|anybody|anything|both|each|everybody|everything|nobody|none|nothing|one|ones|somebody|something"
PREPOSITION = r"about|after|at|before|by|for|from|in|into|of|on|than|to|under|until|with|within|without"
NAMES_NOTHING = re.compile(
    rf"""["(]*(?: (?:{RELATIVE}|{PRONOUN}) | (?:{INDEFINITE})\ (?:{RELATIVE}|but)
      | (?:{PREPOSITION})\ (?:{RELATIVE}|{PRONOUN}) )(?![\w(.:"-])""",
    re.VERBOSE | re.IGNORECASE,
)
# After code these speak of the code's line: `offset;  // where in the file`.
NAMES_NOTHING_ALONE = re.compile(r'["(]*(?:as|how|where|wherever|why)(?![\w(.:"-])', re.IGNORECASE)


def breaks_the_rule(paragraph):
    return NAMES_NOTHING.match(paragraph.text) or (
        not paragraph.after_code and NAMES_NOTHING_ALONE.match(paragraph.text)
    )


def undecoded(root, folders=("",)):
    """Returns "FILE:LINE: first words" for each comment below the folders that breaks the rule."""
    found = []
    for path in tree.files(root):
        if "corpus" in path.parts or not any(path.is_relative_to(folder) for folder in folders):
            continue
        try:
            text = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for paragraph in comments.paragraphs(path, text):
            if breaks_the_rule(paragraph):
                found.append(f"{path}:{paragraph.line}: {paragraph.text[:60]}")
    return found


class FirstWords(tree.MadeTreeTest):
    def test_each_comment_begins_with_a_name_or_a_verb(self):
        self.assertEqual(undecoded(tree.ROOT), [])

    def assert_found(self, path, text):
        self.make(path, text)
        self.assertRegex("\n".join(undecoded(self.made)), rf"(?m)^{re.escape(path)}:\d+: ")

    def assert_passes(self, path, text):
        self.make(path, text)
        self.assertEqual(undecoded(self.made), [])

    def test_a_relative_as_first_word_is_found(self):
        self.assert_found("a.h", "// What is asked often is kept, not counted.\nint a;\n")

    def test_a_pronoun_as_first_word_is_found(self):
        self.assert_found("a.h", "// Him alone it obeys.\nint a;\n")

    def test_a_preposition_before_a_relative_is_found(self):
        self.assert_found("a.h", "// By what a point is called.\nint a;\n")

    def test_an_indefinite_before_a_relative_is_found(self):
        self.assert_found("a.h", "// All that goes.\nint a;\n")

    def test_a_second_paragraph_is_found(self):
        self.assert_found("a.h", "// Fine words.\n//\n// Whoever reads them.\nint a;\n")

    def test_a_comment_after_code_is_found(self):
        self.assert_found("a.h", "int a;  // whose number it is\n")

    def test_an_adverb_counts_only_where_no_code_precedes(self):
        self.assert_passes("a.h", "int a;  // where in the file\n")
        self.assert_found("b.h", "// Where the file is.\nint b;\n")

    def test_docstrings_and_hashes_of_python_are_found(self):
        self.assert_found("a.py", 'def f():\n    """Of each job, its bytes."""\n')
        self.assert_found("b.py", "a = 1  # that one\n")

    def test_shell_cmake_and_sql_are_found(self):
        self.assert_found("tools/a", "#!/usr/bin/env bash\n# What builds.\ntrue\n")
        self.assert_found("CMakeLists.txt", "# Those of threads.\n")
        self.assert_found("a.sql", "-- Who asked.\nSELECT 1;\n")

    def test_a_later_line_and_a_literal_are_no_first_words(self):
        self.assert_passes("a.h", '// The rows\n// of a table.\nconst char* a = "// What is this";\n')

    def test_nouns_and_verbs_pass(self):
        self.assert_passes("a.h", "// Returns what is left.\nint a;\n\n// For each row, its id.\nint b;\n")


if __name__ == "__main__":
    if "--list" in sys.argv:
        wanted = [pathlib.PurePath(folder) for folder in sys.argv[sys.argv.index("--list") + 1 :]]
        print("\n".join(undecoded(tree.ROOT, wanted or ("",))))
    else:
        unittest.main()
