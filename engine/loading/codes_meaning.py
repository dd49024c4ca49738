"""What the codes F03 to F07 mean: findings about the meaning of flows. The rules find, this table explains."""

from engine.loading.code import Code
from engine.loading.codes_meaning_arguments import ARGUMENTS
from engine.loading.codes_meaning_limits import LIMITS
from engine.loading.codes_meaning_names import NAMES
from engine.loading.codes_meaning_paths import PATHS
from engine.loading.codes_meaning_references import REFERENCES

CODES: tuple[Code, ...] = (*REFERENCES, *ARGUMENTS, *PATHS, *NAMES, *LIMITS)
