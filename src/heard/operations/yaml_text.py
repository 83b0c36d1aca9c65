"""YAML, read safely: no objects, no key twice, and an error that names the line."""

from __future__ import annotations

from typing import Any

import yaml

from heard.errors import Invalid

MOST_VALUES = 100_000


def load(text: str, *, name: str = "the file") -> Any:
    """The content of a YAML document; `name` is what errors call it.

    Raises:
        Invalid: it is not YAML, or a key stands twice in one place; says the line.
    """
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506  (a SafeLoader)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
        raise Invalid(f"{place}: {problem.problem or problem.context}.") from None
    except yaml.YAMLError as problem:
        raise Invalid(f"{name} is not YAML: {' '.join(str(problem).split())}.") from None
    except RecursionError:
        raise Invalid(f"{name} goes too many levels deep.") from None
    if _unfolds_to_more_than(content, MOST_VALUES):
        raise Invalid(f"{name} unfolds to more than {MOST_VALUES:,} values; write out what its anchors repeat.")
    return content


def _unfolds_to_more_than(content: Any, most: int) -> bool:
    """Whether there are more values than `most`, each counted as often as aliases repeat it: a few lines of aliases of
    aliases are billions."""
    waiting, seen = [content], 0
    while waiting and seen <= most:
        each = waiting.pop()
        seen += 1
        if isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return seen > most


def dump(content: Any) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.MarkedYAMLError(None, None, f"put the key {key!r} into quotes", key_node.start_mark)
            if key in seen and key != "<<":
                raise yaml.MarkedYAMLError(None, None, f"the key {key!r} stands here twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Lists are indented below their key, as people write them."""
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
