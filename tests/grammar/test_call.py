"""The one grammar: chains, calls, arguments and values, and what is said of texts that are none."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.grammar import Call, chain, parse_call, parse_toml, split, value_of

KNOWN = {"ga", "dense", "residual", "truncation"}


def test_a_chain_is_split_outside_of_brackets_and_quotes() -> None:
    text = ' dense:4 > residual( norm > f(g(1, [2, 3])) ) > own.layers:make(\'a > b\', "c\\">") > '
    assert chain(text) == ["dense:4", "residual( norm > f(g(1, [2, 3])) )", 'own.layers:make(\'a > b\', "c\\">")', ""]
    assert split("8x3,16x3:same:tanh", ":") == ["8x3,16x3", "same", "tanh"]


@pytest.mark.parametrize(
    ("text", "name", "written", "in_parentheses"),
    [
        ("dense", "dense", "", False),
        ("dense:64:relu", "dense", "64:relu", False),
        ("dense(64, relu)", "dense", "64, relu", True),
        ("dense()", "dense", "", True),
        ("dense(64)x", "dense", "(64)x", False),
        ("own.layers:make", "own.layers:make", "", False),
        ("own.layers:make:a:b", "own.layers:make", "a:b", False),
        ("own.layers:make(4, size=2)", "own.layers:make", "4, size=2", True),
        ("own.layers :make", "own.layers", "make", False),  # neither a word nor a reference, as are the next two
        ("denes:64", "denes", "64", False),
        ("(dense)", "", "dense", True),
    ],
)
def test_a_call_has_a_name_and_arguments(text: str, name: str, written: str, in_parentheses: bool) -> None:
    call = parse_call(text, KNOWN)
    assert (call.text, call.name, call.written, call.in_parentheses) == (text, name, written, in_parentheses)


def test_arguments_stand_alone_or_have_a_name() -> None:
    call = parse_call("ga(16, select=truncation(truncation=4), mutate='gaussian:sigma=1', low=[0, 1])", KNOWN)
    assert call.arguments() == (
        ["16"],
        {"select": "truncation(truncation=4)", "mutate": "'gaussian:sigma=1'", "low": "[0, 1]"},
    )
    short = parse_call("ga:16,select=truncation:truncation=4,elites=1", KNOWN)
    assert short.arguments() == (["16"], {"select": "truncation:truncation=4", "elites": "1"})
    assert parse_call("dense:8,9:relu:bias=false", KNOWN).arguments(":") == (["8,9", "relu"], {"bias": "false"})
    assert parse_call("ga", KNOWN).arguments() == parse_call("ga()", KNOWN).arguments() == ([], {})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4),
        ("1e1", 10.0),
        ("-inf", float("-inf")),
        ("true", True),
        ("'a > b'", "a > b"),
        ('"\\u0061"', "a"),
        ("[1, [2.5]]", [1, [2.5]]),
        ("{a = 1}", {"a": 1}),
        ("relu", "relu"),
        ("8x3", "8x3"),
        ("truncation(4)", "truncation(4)"),
        ("warmup:0.1>cosine", "warmup:0.1>cosine"),
    ],
)
def test_a_value_is_of_toml_or_a_word_or_a_call(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("f(", "'f(': a '(' is never closed"),
        ("f)", "'f)': a ')' closes nothing"),
        ("f([)]", "'f([)]': a ')' closes nothing"),
        ("f('a)", '"f(\'a)": a quoted text has no end'),
        ('f("a\\")', "a quoted text has no end"),
        ("(" * 21, "more than 20 parentheses within each other"),
    ],
)
def test_what_cannot_be_split_is_said_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        chain(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ga(size=4, size=5)", "'ga(size=4, size=5)': 'size' is given twice"),
        ("ga(size=4, 5)", "'ga(size=4, 5)': '5' must come before what has a name, or have one"),
    ],
)
def test_arguments_that_cannot_be_read_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError) as error:
        parse_call(text, KNOWN).arguments()
    assert str(error.value) == message


@pytest.mark.parametrize("text", ["", "'a", "[1", "(1)", "{a", "a\nb", "1\nb = 2"])
def test_what_is_no_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no value"):
        value_of(text)


@given(st.text(alphabet="ab:>(),=[]{}'\"\\1. \n", max_size=40))
def test_any_text_is_parsed_or_is_a_value_error(text: str) -> None:
    try:
        for each in chain(text):
            call = parse_call(each, KNOWN)
            assert isinstance(call, Call) and call.text == each and (call.name.strip() in each)
            alone, named = call.arguments()
            for written in (*alone, *named.values()):
                assert written in text  # trust is in the texts that a user gave: nothing is put together
                value_of(written)
    except ValueError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("text", ['"\\' * 50_000, "'" * 99_999, ">" * 100_000, "()" * 50_000, "a=" * 50_000])
def test_time_is_linear_in_the_length(text: str) -> None:
    begun = time.process_time()
    try:
        chain(text)
        parse_call(f"ga({text})", KNOWN).arguments()
    except ValueError:
        pass
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("part", ["b", '""', "''", '"a\\"b"'], ids=str)
def test_a_key_of_too_many_parts_is_refused(part: str) -> None:
    """tomllib's time is quadratic in their number: 16,000 take it seconds, and a file may have five times as many."""
    with pytest.raises(ValueError, match="keys have too many parts"):
        parse_toml(f"a{f'.{part}' * 16_000} = 1")
    assert parse_toml(f"a.{part}.c = '{'.' * 600}'")["a"]
    assert parse_toml(f'a = [\n  "{"." * 600}",\n]') == {"a": ["." * 600]}
