"""Finds the comments of a source file: C++, Python, SQL, shell and CMake."""

import dataclasses
import io
import re
import tokenize


@dataclasses.dataclass
class Paragraph:
    """A paragraph of a comment: the number of its first line, and its text on one line."""

    line: int
    text: str
    after_code: bool


# Literals are matched too, so that a comment's mark inside of one is skipped.
CXX = re.compile(
    r"""R"(?P<end>[^(\s]*)\(.*?\)(?P=end)" | "(?:[^"\\\n]|\\.)*" | (?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'
      | //(?P<comment>[^\n]*)""",
    re.VERBOSE | re.DOTALL,
)
SQL = re.compile(r"'[^']*'|--(?P<comment>[^\n]*)")
HASH = re.compile(r"""^[ \t]*\#(?P<comment>[^\n]*) | ^[^'"\#\n]*[ \t]\#(?P<after>[ ][^\n]*)""", re.VERBOSE | re.MULTILINE)


def matched_lines(pattern, text):
    """Yields line, column, text, and whether code stands before it, of each comment that `pattern` finds."""
    line, counted = 1, 0
    for match in pattern.finditer(text):
        group = match.lastgroup
        if group is None or match[group] is None or group == "end":
            continue
        start = match.start(group)
        line += text.count("\n", counted, start)
        counted = start
        begin = text.rfind("\n", 0, start) + 1
        before = text[begin:start].rstrip("/#-")
        yield line, len(before), match[group], not before.isspace() and before != ""


def python_lines(text):
    starts_statement = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        line, column = token.start
        if token.type == tokenize.COMMENT:
            yield line, column, token.string[1:], token.line[:column].strip() != ""
        elif token.type == tokenize.STRING and starts_statement:  # a docstring
            for offset, words in enumerate(token.string.strip("r\"'").split("\n")):
                yield line + offset, column, words, False
        if token.type != tokenize.COMMENT and token.type != tokenize.NL:
            starts_statement = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)


def comment_lines(path, text):
    if path.suffix in (".h", ".cpp"):
        return matched_lines(CXX, text)
    if path.suffix == ".sql":
        return matched_lines(SQL, text)
    first = text.split("\n", 1)[0]
    if path.suffix == ".py" or (first.startswith("#!") and "python" in first):
        return python_lines(text)
    if path.suffix in (".sh", ".cmake") or path.name == "CMakeLists.txt" or first.startswith("#!"):
        return matched_lines(HASH, text)
    return ()


def paragraphs(path, text):
    """Returns the paragraphs of a file's comments. An empty line, another column, or code before it begins a new one."""
    found, previous = [], None
    for line, column, words, after_code in comment_lines(path, text):
        words = words.strip()
        if not words or (line == 1 and words.startswith("!")):
            previous = None
            continue
        if previous == (line - 1, column) and not after_code:
            found[-1].text += " " + words
        else:
            found.append(Paragraph(line, words, after_code))
        previous = (line, column)
    return found
