"""The stubs of a starter: what a student is asked to write, and the task that each belongs to."""

from __future__ import annotations

import ast
import re


def functions(tree):
    """Functions and methods with their dotted names."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            methods = (part for part in node.body if isinstance(part, ast.FunctionDef))
            yield from ((f"{node.name}.{method.name}", method) for method in methods)


def stub_tasks(material):
    """The stubs of a starter by dotted name, and the task that each belongs to."""
    tree = ast.parse(material.starter.read_text(encoding="utf-8"))
    found = {}
    for name, node in functions(tree):
        for raised in (part for part in ast.walk(node) if isinstance(part, ast.Raise)):
            text = ast.unparse(raised)
            if "NotImplementedError" in text:
                form = rf"NotImplementedError\(.{material.assignment.name}, task (\d+): .+.\)"
                stated = re.search(form, text)
                assert stated, f"{name}: {text}"
                found[name] = int(stated[1])
    return found
