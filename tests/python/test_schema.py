"""docs/nir.schema.json: what Saltus writes fits it, and what breaks a rule that a schema can say does not."""

import json

import pytest
import saltus
from conftest import NIR_FILES, ROOT
from jsonschema import Draft202012Validator

SCHEMA = json.loads((ROOT / "docs" / "nir.schema.json").read_text())
FILES = sorted(
    path
    for path in NIR_FILES.glob("**/*.nir")
    if "hostile" not in path.parts and path.name != "braille_noDelay_bias_zero_subgraph.nir"
)

LIF = {"type": "LIF", "tau": [0.01], "r": [1.0], "v_leak": [0.0], "v_threshold": [1.0]}
PACKED = {"dtype": "float32", "shape": [1], "data": "AACAPw=="}


def fits(node: object) -> bool:
    return Draft202012Validator(SCHEMA).is_valid({"version": "1.0.8", "node": node})


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_every_type_of_node_is_in_the_schema():
    types = {"NIRGraph"} | {
        node["type"] for path in FILES for node in json.loads(document(path))["node"]["nodes"].values()
    }
    known = SCHEMA["$defs"]["node"]["properties"]["type"]["enum"]
    assert types <= set(known)
    assert len(known) == 19


def document(path) -> str:
    saltus.save(saltus.load(path), "net.nir.json")
    with open("net.nir.json", encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("path", FILES, ids=lambda path: "-".join(path.relative_to(NIR_FILES).parts[:2]))
def test_what_is_written_fits_the_schema(path):
    Draft202012Validator(SCHEMA).validate(json.loads(document(path)))


def test_fields_as_numbers_lists_and_packed_arrays_fit():
    assert fits(LIF)
    assert fits({**LIF, "tau": 0.01, "v_reset": PACKED, "metadata": {"dt": 0.001, "inner": {"name": "x"}}})
    assert fits({"type": "NIRGraph", "nodes": {"a": LIF}, "edges": [["a", "a"]]})


@pytest.mark.parametrize(
    "node",
    [
        {"type": "LIFX"},
        {},
        {**LIF, "tau": [0.0]},
        {**LIF, "tau": [-0.01]},
        {**LIF, "tau": "0.01"},
        {**LIF, "tau": ["0.01"]},
        {**LIF, "tau": None},
        {key: value for key, value in LIF.items() if key != "v_threshold"},
        {**LIF, "tau": {**PACKED, "dtype": "float16"}},
        {**LIF, "tau": {**PACKED, "data": "not base64"}},
        {**LIF, "tau": {**PACKED, "shape": [-1]}},
        {**LIF, "tau": {**PACKED, "more": 1}},
        {"type": "NIRGraph", "nodes": {"a": LIF}},
        {"type": "NIRGraph", "nodes": {"a/b": LIF}, "edges": []},
        {"type": "NIRGraph", "nodes": {}, "edges": [["a", "b", "c"]]},
        {"type": "NIRGraph", "nodes": {}, "edges": [["a", "b"], ["a", "b"]]},
        {"type": "Delay", "delay": [-1.0]},
        {"type": "Input", "shape": [0]},
        {"type": "Input", "shape": []},
    ],
)
def test_what_breaks_a_rule_does_not_fit(node):
    assert not fits(node)
