"""The grammar of everything that is written in text: networks, schedules, operators, algorithms with their options.

A text is a chain of calls with `>` between them: `dense:64 > residual(layernorm > dense(64, relu))`. A call is a name
with its arguments in parentheses, `ga(population_size=16, select=truncation(4))`, or, short, after a colon, up to the
next `>` or the end: `dense:64:relu`, `truncation:truncation=4`. The name is a word of ours, or
`package.module:attribute`. A value is one of TOML, a word, or a call again.

Imports only evo.errors.
"""

from evo.grammar.call import Call, chain, parse_call, split, value_of
from evo.grammar.toml import parse_toml

__all__ = ["Call", "chain", "parse_call", "parse_toml", "split", "value_of"]
