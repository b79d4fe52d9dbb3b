"""The typed stub of the compiled module is committed: a change of its interface shows in a diff."""

import ast

import saltus._saltus
from conftest import ROOT
from nanobind.stubgen import StubGen

STUB = ROOT / "plugins" / "python" / "saltus" / "_saltus.pyi"


def test_the_committed_stub_is_that_of_the_module():
    generator = StubGen(saltus._saltus, include_docstrings=False)
    generator.put(saltus._saltus)
    made, committed = (ast.unparse(ast.parse(text)) for text in (generator.get(), STUB.read_text()))
    # After a change that is meant: python -m nanobind.stubgen -m saltus._saltus -D -o STUB; ruff format STUB
    assert made == committed
